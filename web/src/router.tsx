import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { persistently } from './layout/lazily.ts';
import { NotFound, PageFailed } from './layout/Problems.tsx';
import { Shell } from './layout/Shell.tsx';
import { readAddress } from './search/search-address.ts';
import { lastProject, sessionUser } from './session/session.ts';
import { SignInPage } from './session/SignInPage.tsx';

const root = createRootRoute({ notFoundComponent: NotFound, errorComponent: PageFailed });

interface SignInSearch {
  to?: string;
  /** The token of an invitation to make an account. */
  invitation?: string;
  /** The answer of an OpenID Connect issuer has one of the two, and other parameters. */
  code?: unknown;
  error?: unknown;
}
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignInPage,
  validateSearch: ({ to, invitation, code, error, ...others }: Record<string, unknown>): SignInSearch => ({
    // A path of this page alone: an address from elsewhere is not followed.
    ...(typeof to === 'string' && /^\/(?![/\\])/.test(to) ? { to } : {}),
    ...(typeof invitation === 'string' ? { invitation } : {}),
    ...(code !== undefined || error !== undefined ? { ...others, code, error } : {}),
  }),
});

/** Everything behind the sign-in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location }) => {
    if ((await sessionUser()) === null) {
      const to = location.href === '/' ? {} : { to: location.href };
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- a redirect is thrown, says TanStack Router
      throw redirect({ to: '/sign-in', search: to });
    }
  },
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: async () => {
    const project = await lastProject();
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as above
    throw project === null ? redirect({ to: '/projects' }) : redirect({ to: '/p/$project/chat', params: { project } });
  },
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: '/projects',
  component: lazyRouteComponent(() => persistently(() => import('./projects/ProjectsPage.tsx')), 'ProjectsPage'),
});
const status = createRoute({
  getParentRoute: () => shell,
  path: '/status',
  component: lazyRouteComponent(() => persistently(() => import('./status/StatusPage.tsx')), 'StatusPage'),
});
const usage = createRoute({
  getParentRoute: () => shell,
  path: '/usage',
  component: lazyRouteComponent(() => persistently(() => import('./usage/UsagePage.tsx')), 'UsagePage'),
});

const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => persistently(() => import('./keys/KeysPage.tsx')), 'KeysPage'),
});

const project = createRoute({ getParentRoute: () => shell, path: '/p/$project' });
const ChatPage = lazyRouteComponent(() => persistently(() => import('./chat/ChatPage.tsx')), 'ChatPage');
const newChat = createRoute({
  getParentRoute: () => project,
  path: '/chat',
  component: ChatPage,
});
const chat = createRoute({
  getParentRoute: () => project,
  path: '/chat/$conversation',
  component: ChatPage,
});
const documents = createRoute({
  getParentRoute: () => project,
  path: '/documents',
  component: lazyRouteComponent(() => persistently(() => import('./documents/DocumentsPage.tsx')), 'DocumentsPage'),
  validateSearch: ({ folder, tag }: Record<string, unknown>): { folder?: string; tag?: string } => ({
    ...(typeof folder === 'string' && folder !== '' ? { folder } : {}),
    // The router reads a tag of digits as a number.
    ...((typeof tag === 'string' && tag !== '') || typeof tag === 'number' ? { tag: String(tag) } : {}),
  }),
});
const trash = createRoute({
  getParentRoute: () => project,
  path: '/documents/trash',
  component: lazyRouteComponent(() => persistently(() => import('./documents/TrashPage.tsx')), 'TrashPage'),
});

export const READING_VIEWS = ['read', 'pages', 'edit', 'history', 'blame'] as const;
export type ReadingView = (typeof READING_VIEWS)[number];
interface ReadingSearch {
  view?: ReadingView;
  /** The passage to mark: UTF-16 code units of the text, `end` excluded. */
  start?: number;
  end?: number;
  /** The page of a PDF, from 1. */
  page?: number;
}
const reading = createRoute({
  getParentRoute: () => project,
  path: '/documents/read/$',
  component: lazyRouteComponent(() => persistently(() => import('./documents/ReadingPage.tsx')), 'ReadingPage'),
  validateSearch: ({ view, start, end, page }: Record<string, unknown>): ReadingSearch => ({
    ...(READING_VIEWS.includes(view as ReadingView) && view !== 'read' ? { view: view as ReadingView } : {}),
    ...(typeof start === 'number' && typeof end === 'number' ? { start, end } : {}),
    ...(Number.isInteger(page) ? { page: page as number } : {}),
  }),
});
const search = createRoute({
  getParentRoute: () => project,
  path: '/search',
  component: lazyRouteComponent(() => persistently(() => import('./search/SearchPage.tsx')), 'SearchPage'),
  validateSearch: readAddress,
});
const graph = createRoute({
  getParentRoute: () => project,
  path: '/graph',
  component: lazyRouteComponent(() => persistently(() => import('./graph/GraphPage.tsx')), 'GraphPage'),
  validateSearch: ({ from }: { from?: unknown }): { from?: string } => (typeof from === 'string' ? { from } : {}),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    shell.addChildren([
      home,
      projects,
      status,
      usage,
      keys,
      project.addChildren([newChat, chat, documents, trash, reading, search, graph]),
    ]),
  ]),
  defaultPreload: 'intent',
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
