import { strToU8, zipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

const NOTES = 500;
const TOPICS = ['harvest', 'orchard', 'storage', 'Donaudampfschifffahrtsgesellschaft', 'cider', 'weather'];
const topic = (index: number) => TOPICS[index % TOPICS.length];
const nameOf = (index: number) => `${topic(index)}/${topic(index)}-${index}.md`;
const linkTo = (index: number) => `[${topic(index)} ${index}](../${nameOf(index)})`;

/** Notes of a few topics; each links to one before it, and every third to another topic. */
const linked = Array.from({ length: NOTES }, (_, index) => {
  const links = [Math.max(0, index - TOPICS.length), ...(index % 3 === 0 ? [(index * 37) % NOTES] : [])];
  return [nameOf(index), `# ${topic(index)} ${index}\n\n${links.map(linkTo).join('\n')}\n`] as const;
});
/** One note that links to all others. */
const hub = [
  [
    'index.md',
    `# Index\n\n${linked.map((_, index) => `- [Note ${index}](notes/note-${index}.md)`).join('\n')}`,
  ] as const,
  ...linked.map((_, index) => [`notes/note-${index}.md`, `# Note ${index}\n\nText.`] as const),
];

/** A busy machine draws slowly. A picture that is drawn again with each move takes several times as long. */
const MOST_FRAME_MS = Number(process.env['CAUDEX_FRAME_MS'] ?? 120);
const LONGEST_TASK_MS = Number(process.env['CAUDEX_TASK_MS'] ?? 400);

describeInBrowser('the graph of five hundred notes', () => {
  let caudex: Caudex;
  let browser: Browser;
  let person: Person;
  const projects = { linked: '', hub: '' };

  beforeAll(async () => {
    [browser, caudex] = await Promise.all([launchBrowser(), Caudex.start()]);
    person = await caudex.signUp();
    for (const [name, files] of Object.entries({ linked, hub }) as [keyof typeof projects, typeof hub][]) {
      projects[name] = await person.project(name);
      const zip = zipSync(Object.fromEntries(files.map(([path, text]) => [path, strToU8(text)])));
      const address = `/v1/api/projects/${projects[name]}`;
      await person.request('POST', `${address}/documents`, zip, { 'content-type': 'application/zip' });
      await until(
        'the graph has all links',
        async () => {
          const { edges } = await person.get<{ edges: { kind: string }[] }>(`${address}/graph?limit=5000`);
          return edges.filter(({ kind }) => kind === 'links_to').length >= NOTES - TOPICS.length;
        },
        90_000,
      );
    }
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });

  const openGraph = async (visit: Visit, name: keyof typeof projects, query = '') => {
    const page = await visit.open(`/p/${projects[name]}/graph${query}`);
    await page.locator('.graph-picture .node-label').first().waitFor();
    return page;
  };
  const labelBoxes = (page: Page) =>
    page.locator('.graph-picture').evaluate((picture) => {
      const frame = picture.getBoundingClientRect();
      const boxes = [...picture.querySelectorAll('.node-label')].map((label) => label.getBoundingClientRect());
      const overlapping = boxes.flatMap((a, index) =>
        boxes
          .slice(index + 1)
          .filter((b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
          .map((b) => [Math.round(a.left), Math.round(a.top), Math.round(b.left), Math.round(b.top)].join()),
      );
      const cut = boxes.filter(({ left, right }) => left < frame.left || right > frame.right).length;
      return { labels: boxes.length, overlapping, cut };
    });

  it.each([
    ['linked', 1280],
    ['linked', 360],
    ['linked', 2560],
    ['hub', 1280],
    ['hub', 360],
  ] as const)('of the kind %s is readable at %i px: names stand apart and whole', async (name, width) => {
    const visit = await Visit.begin(browser, caudex.url, person, { width });
    const page = await openGraph(visit, name);
    await page.getByText(name === 'hub' ? '501 nodes' : '500 nodes', { exact: true }).waitFor();
    const { labels, overlapping, cut } = await labelBoxes(page);
    expect(overlapping).toEqual([]);
    expect(cut).toBe(0);
    expect(labels).toBeGreaterThan(width < 500 ? 8 : 20);
    await page.getByRole('button', { name: 'Closer' }).click();
    await page.getByRole('button', { name: 'Closer' }).click();
    expect((await labelBoxes(page)).overlapping).toEqual([]);
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  it('can be walked by keyboard, from a node to its neighbours, and opens a document', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    const page = await openGraph(visit, 'linked', `?from=${encodeURIComponent(nameOf(100))}`);
    const chosen = page.locator('.graph-side h2');
    expect(await chosen.innerText()).toBe(nameOf(100));
    const neighbours = await page.locator('.graph-neighbour').allInnerTexts();
    await page.getByRole('application').focus();
    const reached = new Set<string>();
    for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']) {
      await page.keyboard.press(key);
      reached.add(await chosen.innerText());
    }
    expect([...reached].some((name) => neighbours.includes(name))).toBe(true);
    expect(reached.size).toBeGreaterThan(1);
    const last = await chosen.innerText();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => decodeURIComponent(url.pathname).endsWith(`/documents/read/${last}`));
    await page.goBack();
    await page.locator('.node-label').first().waitFor();
    await page.getByRole('application').focus();
    await page.keyboard.press('Escape');
    await chosen.waitFor({ state: 'detached' });
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  it('finds a node by its name, and names it and its neighbours alone', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    const page = await openGraph(visit, 'linked');
    const find = page.getByLabel('Find in the graph');
    await find.fill('harvest-30');
    const expected = linked.filter(([path]) => path.includes('harvest-30')).length;
    await page.getByText(`${expected} nodes found`).waitFor();
    expect(await page.locator('.graph-neighbour').count()).toBe(expected);
    await find.fill(nameOf(300));
    await find.press('Enter');
    await page.getByRole('heading', { name: nameOf(300) }).waitFor();
    const labels = await page.locator('.node-label').allTextContents();
    const near = await page.locator('.graph-neighbour').allInnerTexts();
    expect(labels).toContain('harvest-300.md');
    expect(labels.length).toBeLessThanOrEqual(near.length + 1);
    await page.getByRole('button', { name: 'Clear the choice' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.node-label').length > 20);
    await visit.end();
  });

  it('chooses a node by a press on it, and shows where the documents beside it lead', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    const page = await openGraph(visit, 'hub');
    const middle = await page.locator('.graph-picture svg .node').first().boundingBox();
    if (middle === null) throw new Error('the first node is not in sight');
    await page.mouse.click(middle.x + middle.width / 2, middle.y + middle.height / 2);
    await page.locator('.graph-side h2').waitFor();
    await page.getByRole('button', { name: 'Walk from here' }).click();
    await page.waitForURL(/from=/);
    await page.getByRole('button', { name: 'Show the whole project' }).click();
    await page.getByText('501 nodes', { exact: true }).waitFor();
    await visit.end();
  });

  it.each(['linked', 'hub'] as const)('of the kind %s follows the pointer without a wait', async (name) => {
    const visit = await Visit.begin(browser, caudex.url, person);
    await visit.page.addInitScript(() => {
      const tasks: number[] = ((globalThis as { tasks?: number[] }).tasks = []);
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
        buffered: true,
      });
    });
    const page = await openGraph(visit, name);
    const longest = await page.evaluate(() => Math.max(0, ...((globalThis as { tasks?: number[] }).tasks ?? [])));
    const box = await page.locator('.graph-picture').boundingBox();
    if (box === null) throw new Error('the picture is not in sight');
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await page.mouse.move(middle.x, middle.y);
    const dragged = await framesDuring(page, async () => {
      await page.mouse.down();
      for (let step = 0; step < 60; step += 1) await page.mouse.move(middle.x + step * 2, middle.y + (step % 20));
      await page.mouse.up();
    });
    const wheeled = await framesDuring(page, async () => {
      for (let step = 0; step < 40; step += 1) await page.mouse.wheel(0, step < 20 ? -100 : 100);
    });
    const worst = (frames: number[]) => frames.sort((a, b) => a - b)[Math.floor(frames.length * 0.95)] ?? Infinity;
    const times = { longest, drag95: worst(dragged), wheel95: worst(wheeled) };
    if (process.env['CAUDEX_FRAME_MS'] !== undefined) console.warn(name, times);
    expect(times.drag95).toBeLessThan(MOST_FRAME_MS);
    expect(times.wheel95).toBeLessThan(MOST_FRAME_MS);
    expect(times.longest).toBeLessThan(LONGEST_TASK_MS);
    await visit.end();
  });
});

/** The times between the frames that the page draws meanwhile, in ms. */
async function framesDuring(page: Page, action: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const state: { times: number[]; on: boolean } = { times: [], on: true };
    (globalThis as unknown as { frames: typeof state }).frames = state;
    let last = performance.now();
    const frame = (now: number) => {
      state.times.push(now - last);
      last = now;
      if (state.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await action();
  return page.evaluate(() => {
    const state = (globalThis as unknown as { frames?: { times: number[]; on: boolean } }).frames;
    if (state === undefined) return [];
    state.on = false;
    return state.times.slice(1);
  });
}
