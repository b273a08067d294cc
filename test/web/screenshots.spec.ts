import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { Person } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';
import { Gallery, type View } from './gallery.ts';

/** The folder of `npm run screenshots`; without it no screenshots are taken. */
const DIR = process.env['CAUDEX_SCREENSHOTS'];
/** Parts of names, separated by commas: only matching screenshots are taken. Without it all are. */
const WANTED = process.env['CAUDEX_SCREENSHOTS_OF']?.split(',');
const FORMS = [
  { width: 1280, theme: 'light' },
  { width: 1280, theme: 'dark' },
  { width: 360, theme: 'light' },
  { width: 360, theme: 'dark' },
] as const;
/** A few pages on a very wide screen. */
const WIDE = { width: 2560, theme: 'light' } as const;
const SHOWN_WIDE = ['chat-passage', 'documents', 'reading', 'graph', 'status'];

const describeWhenWanted =
  DIR === undefined ? (title: string, tests: () => void) => describe.skip(title, tests) : describeInBrowser;

describeWhenWanted('screenshots of every page in every state', () => {
  let gallery: Gallery;
  let browser: Browser;
  beforeAll(async () => {
    [browser, gallery] = await Promise.all([launchBrowser(), Gallery.prepare()]);
    await mkdir(DIR as string, { recursive: true });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await gallery?.end();
  });

  const files: string[] = [];

  async function take(views: readonly View[], person?: Person): Promise<void> {
    for (const form of [...FORMS, WIDE]) {
      for (const { name, show } of views) {
        if (form === WIDE && !SHOWN_WIDE.includes(name)) continue;
        if (WANTED !== undefined && !WANTED.some((part) => name.includes(part))) continue;
        const visit = await Visit.begin(browser, gallery.caudex.url, person, form);
        await show(visit);
        await visit.page.mouse.move(0, 0);
        await visit.page.waitForTimeout(400);
        const file = `${name}-${form.width}-${form.theme}.png`;
        await visit.page.screenshot({ path: join(DIR as string, file) });
        files.push(file);
        await visit.end();
      }
    }
  }

  it('are taken', async () => {
    await take(gallery.strangers);
    await take(gallery.beginnings, gallery.newcomer);
    await take(gallery.usual, gallery.person);
    await take(gallery.unread, gallery.person);
    await take(gallery.extreme, gallery.person);
    await gallery.takeDown();
    await take(gallery.degraded, gallery.person);
    // Reduces the size to a third, where the tool is installed. The result is lossy, so earlier files are left alone.
    spawnSync('pngquant', ['--force', '--ext', '.png', '64', ...files], { cwd: DIR });
  }, 1_800_000);
});
