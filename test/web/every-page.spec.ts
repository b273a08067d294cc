import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import type { Person } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';
import { Gallery, type View } from './gallery.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const FORMS = [
  { width: 1280, theme: 'light' },
  { width: 360, theme: 'dark' },
] as const;

interface AxeReport {
  violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[];
}
declare const axe: { run: (options: object) => Promise<AxeReport> };

async function faultsOn({ page }: Visit): Promise<string[]> {
  const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
  const faults = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(' ')).join('; ')}`,
  );
  const tooWide = await page.evaluate(() =>
    [document.documentElement, document.querySelector('#content')].some(
      (element) => element !== null && element.scrollWidth > element.clientWidth,
    ),
  );
  return tooWide ? [...faults, 'the page is wider than the screen'] : faults;
}

describeInBrowser('every page in every state', () => {
  let gallery: Gallery;
  let browser: Browser;
  beforeAll(async () => {
    [browser, gallery] = await Promise.all([launchBrowser(), Gallery.prepare()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await gallery?.end();
  });

  /** The faults of the views by name; views without faults are left out. */
  async function faultsOf(views: readonly View[], person?: Person): Promise<string[]> {
    const faults: string[] = [];
    for (const form of FORMS) {
      const visit = await Visit.begin(browser, gallery.caudex.url, person, form);
      await visit.context.addInitScript({ path: AXE });
      for (const { name, show, leave } of views) {
        await show(visit);
        const where = `${name}, ${form.width} px, ${form.theme}`;
        faults.push(...(await faultsOn(visit)).map((fault) => `${where}: ${fault}`));
        await leave?.(visit);
      }
      await visit.end();
    }
    return faults;
  }

  it('has no accessibility fault and fits the screen before somebody is signed in', async () => {
    expect(await faultsOf(gallery.strangers)).toEqual([]);
  }, 60_000);

  it('has none while there is nothing yet', async () => {
    expect(await faultsOf(gallery.beginnings, gallery.newcomer)).toEqual([]);
  }, 90_000);

  it('has none in everyday use', async () => {
    expect(await faultsOf(gallery.usual, gallery.person)).toEqual([]);
  }, 120_000);

  it('has none while its data are read, and where they cannot be read', async () => {
    expect(await faultsOf(gallery.unread, gallery.person)).toEqual([]);
  }, 180_000);

  it('has none with the longest words, titles and lists', async () => {
    expect(await faultsOf(gallery.extreme, gallery.person)).toEqual([]);
  }, 90_000);

  it('has none while services are away', async () => {
    await gallery.takeDown();
    expect(await faultsOf(gallery.degraded, gallery.person)).toEqual([]);
  }, 90_000);
});
