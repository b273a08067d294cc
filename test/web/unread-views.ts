import type { View } from './gallery.ts';

/** Where the views lead. */
export interface Places {
  project: string;
  conversation: string;
}

/** Each page with the calls that it cannot do without. */
const PAGES: [name: string, path: (places: Places) => string, calls: RegExp][] = [
  ['chat', ({ project, conversation }) => `/p/${project}/chat/${conversation}`, /\/conversations\/[^?]+\?/],
  ['documents', ({ project }) => `/p/${project}/documents`, /\/documents\?/],
  ['trash', ({ project }) => `/p/${project}/documents/trash`, /\/trash\?/],
  ['reading', ({ project }) => `/p/${project}/documents/read/notes/garden.md`, /\/documents\/notes/],
  ['history', ({ project }) => `/p/${project}/documents/read/notes/garden.md?view=history`, /\/history\?/],
  ['blame', ({ project }) => `/p/${project}/documents/read/notes/garden.md?view=blame`, /\/blame\?/],
  ['search', ({ project }) => `/p/${project}/search?q=outbox`, /\/api\/search/],
  ['graph', ({ project }) => `/p/${project}/graph`, /\/v1\/.*\/graph/],
  ['status', () => '/status', /\/status\/(services|timeline|stream)/],
  ['usage', () => '/usage', /\/billing\//],
  ['keys', () => '/keys', /\/api\/keys/],
  ['projects', () => '/projects', /\/api\/projects\?/],
];
const PROBLEM = {
  status: 500,
  code: 'internal',
  detail: 'An unexpected error occurred; the server logged it under the request id.',
};

/** Every page while its calls wait for their answers. */
export const loadingViews = (places: Places): View[] =>
  PAGES.map(([name, path, calls]) => ({
    name: `${name}-loading`,
    show: async (visit) => {
      await visit.page.route(calls, () => undefined);
      const page = await visit.open(path(places));
      await page.locator('.content .loading-lines').first().waitFor();
    },
    // Without a route, the browser sends the calls that are held.
    leave: (visit) => visit.page.unroute(calls),
  }));

/** Every page whose calls fail. */
export const failedViews = (places: Places): View[] =>
  PAGES.map(([name, path, calls]) => ({
    name: `${name}-error`,
    show: async (visit) => {
      await visit.page.route(calls, (route) => route.fulfill({ status: PROBLEM.status, json: PROBLEM }));
      const page = await visit.open(path(places));
      await page.locator('.content .load-problem').first().waitFor();
      await page.unroute(calls);
    },
  }));
