import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

/** Slow 4G as in Lighthouse: 1.6 Mbit/s, 150 ms round trip. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 1_638_400 / 8, uploadThroughput: 768_000 / 8 };
/** The machine also runs the six processes, so it is slower than a phone that runs only the browser. */
const USABLE_MS = Number(process.env['CAUDEX_USABLE_MS'] ?? 6000);
const MAX_BYTES = 200_000;

interface Places {
  project: string;
  conversation: string;
}
const PAGES: [name: string, path: (places: Places) => string][] = [
  ['sign-in', () => '/sign-in'],
  ['chat', ({ project }) => `/p/${project}/chat`],
  ['conversation', ({ project, conversation }) => `/p/${project}/chat/${conversation}`],
  ['documents', ({ project }) => `/p/${project}/documents`],
  ['reading', ({ project }) => `/p/${project}/documents/read/pears.md`],
  ['history', ({ project }) => `/p/${project}/documents/read/pears.md?view=history`],
  ['search', ({ project }) => `/p/${project}/search?q=pears`],
  ['graph', ({ project }) => `/p/${project}/graph`],
  ['status', () => '/status'],
  ['usage', () => '/usage'],
  ['keys', () => '/keys'],
  ['projects', () => '/projects'],
];

describeInBrowser('the first load of the page', () => {
  let caudex: Caudex;
  let browser: Browser;
  let person: Person;
  let project: string;
  let conversation: string;

  beforeAll(async () => {
    [browser, caudex] = await Promise.all([launchBrowser(), Caudex.start()]);
    person = await caudex.signUp();
    project = await person.project('Garden');
    await person.upload(project, 'pears.md', '# Pears\n\nThey ripen in September.');
    conversation = (await person.chat(project, 'When do pears ripen?')).conversation_id;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });

  it.each(PAGES)('weighs at most 200 kB compressed, and %s can be used soon on slow 4G', async (name, path) => {
    const visit = await Visit.begin(browser, caudex.url, name === 'sign-in' ? undefined : person, { width: 360 });
    const session = await visit.context.newCDPSession(visit.page);
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', SLOW_4G);
    const beganMs = performance.now();
    const page = await visit.open(path({ project, conversation }));
    await useOf(page, name);
    const usableMs = performance.now() - beganMs;
    // The whole first load: also what comes after the page can be used.
    await page.waitForLoadState('networkidle');
    if (process.env['CAUDEX_USABLE_MS'] !== undefined)
      console.warn(`${name}: ${bytes} bytes, ${usableMs.toFixed()} ms`);
    // The code of the page is on its way while the libraries still are.
    const requests = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name: url, startTime, duration }) => ({
        url,
        began: startTime,
        ended: startTime + duration,
      })),
    );
    const libraries = requests.find(({ url }) => url.includes('/libraries-'));
    const own = requests.filter(({ url }) => /\/(\w+Page|chat)-[^/]*\.js$/.test(url));
    expect(own).toHaveLength(name === 'sign-in' ? 0 : 1);
    for (const { began } of own) expect(began).toBeLessThan(libraries?.ended ?? 0);
    expect(bytes).toBeLessThan(MAX_BYTES);
    expect(usableMs).toBeLessThan(USABLE_MS);
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });
});

/** Resolves when a person can do what the page is for. */
async function useOf(page: Page, name: string): Promise<void> {
  if (name !== 'sign-in' && name !== 'chat') return page.locator('main h1').first().waitFor({ state: 'attached' });
  await page.getByLabel(name === 'chat' ? 'Your question' : 'Password').fill('When do pears ripen?');
  await page.locator('.button-primary:enabled').first().waitFor();
}
