import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person } from '../system/caudex.ts';
import { FakeLlm, saysSlowly } from '../system/fake-llm.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

const ANSWER = `They ripen in **September** [1].

| Fruit | Month |
| --- | --- |
| Pears | September |
| Plums | August |

${'Store them cold and dark, so that they keep until spring. '.repeat(30)}

\`\`\`ts
const month = 'September';
\`\`\`

$$\\sum_{n=1}^{3} n = 6$$

${'- One more thing to know about pears.\n'.repeat(12)}`;
const STEP_MS = 6;
const MOST_TABS = 60;
/** "Good" in Web Vitals is up to 0.1; here the text is the only thing that may move, and it only grows. */
const MOST_SHIFT = 0.01;

describeInBrowser('the manners of the page', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let browser: Browser;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    [browser, llm] = await Promise.all([launchBrowser(), FakeLlm.start()]);
    llm.behaviour = saysSlowly(ANSWER, STEP_MS);
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      LLM_API_KEY: 'k',
      CAUDEX__CACHE__ANSWERS: 'false',
    });
    person = await caudex.signUp('reader@example.org');
    project = await person.project('Garden');
    await person.upload(project, 'fruit/pears.md', '# Pears\n\nWilliams pears ripen in September.');
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
    await llm?.stop();
  });

  /** The name of the element that has the focus, as a screen reader says it. */
  const focused = (page: Page) =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
      return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? '';
    });
  const tabTo = async (page: Page, name: string | RegExp) => {
    const seen: string[] = [];
    for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
      await page.keyboard.press('Tab');
      const now = (await focused(page)).trim();
      if (typeof name === 'string' ? now === name : name.test(now)) return;
      seen.push(now.slice(0, 30));
    }
    throw new Error(`Tab does not reach ${name}; it reaches ${seen.join(', ')}`);
  };

  it('lets one sign in, ask, read a citation, rename a document and search with the keyboard alone', async () => {
    const visit = await Visit.begin(browser, caudex.url);
    const page = await visit.open('/');
    await tabTo(page, 'E-mail address');
    await page.keyboard.type('reader@example.org');
    await tabTo(page, 'Password');
    await page.keyboard.type('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByText('What do you want to know?').waitFor();

    await tabTo(page, 'Your question');
    await page.keyboard.type('When do pears ripen?');
    await page.keyboard.press('Enter');
    await visit.answer();
    const citation = page.getByRole('button', { name: /^Passage 1: / });
    await page.locator('#composer').focus();
    for (let tabs = 0; !/^Passage 1: /.test(await focused(page)); tabs += 1) {
      if (tabs > MOST_TABS) throw new Error('Shift and Tab do not reach the citation');
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await page.locator('.passage mark').first().waitFor();
    expect(await focused(page)).toContain('Pears');
    await page.keyboard.press('Escape');
    await page.locator('.passage').waitFor({ state: 'detached' });
    expect(await citation.evaluate((button) => button === document.activeElement)).toBe(true);

    await page.getByRole('link', { name: 'Documents' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Actions for fruit/' }).waitFor();
    await tabTo(page, 'Actions for fruit/');
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Move or rename' }).waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.waitForFunction(() => document.querySelector('[role=dialog]')?.contains(document.activeElement));
    await tabTo(page, 'New path');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('trees/');
    await page.keyboard.press('Enter');
    await page.getByText('“fruit/” moved to “trees/”').waitFor();
    await tabTo(page, 'Undo');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'fruit/', exact: true }).waitFor();

    await page.locator('#content').focus();
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Search', exact: true }).waitFor();
    await page.keyboard.type('ripen');
    await page.getByRole('option', { name: /Pears/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('mark', { hasText: 'ripen' }).first().waitFor();
    expect(visit.complaints).toEqual([]);
    await visit.end();
  }, 120_000);

  it('gives the focus back when a dialog closes', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    const page = await visit.open(`/p/${project}/documents/read/fruit/pears.md`);
    const opener = page.getByRole('button', { name: 'Move or rename' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('New path').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.textContent === 'Move or rename');
    await visit.end();
  });

  it.each([1280, 360])('moves nothing but the text while an answer is written, at %i px', async (width) => {
    const visit = await Visit.begin(browser, caudex.url, person, { width });
    await visit.page.addInitScript(() => {
      const shifts: number[] = ((globalThis as { shifts?: number[] }).shifts = []);
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as PerformanceEntry & { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do pears ripen?');
    await page.getByText('They ripen in').waitFor();
    await page.evaluate(() => (globalThis as { shifts?: number[] }).shifts?.splice(0));
    await visit.answer();
    await page.waitForTimeout(500);
    const shifts = await page.evaluate(() => (globalThis as { shifts?: number[] }).shifts ?? []);
    expect(shifts.reduce((sum, value) => sum + value, 0)).toBeLessThan(MOST_SHIFT);
    const atEnd = await page
      .locator('.turns')
      .evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight);
    expect(atEnd).toBeLessThan(80);
    await visit.end();
  });

  it('moves nothing by itself where motion is not wanted', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    for (const path of [`/p/${project}/chat`, `/p/${project}/documents`, `/p/${project}/graph`, '/status', '/usage']) {
      const page = await visit.open(path);
      await page.locator('main h1').first().waitFor({ state: 'attached' });
      await page.waitForTimeout(300);
      const moving = await page.evaluate(() => [
        ...document.getAnimations().map((animation) => animation.constructor.name),
        ...[...document.querySelectorAll('*')].flatMap((element) => {
          const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
          const isStill =
            /^(0s(, )?)+$/.test(transitionDuration) && animationName === 'none' && scrollBehavior === 'auto';
          return isStill ? [] : [`${element.tagName} ${element.className}`];
        }),
      ]);
      expect({ path, moving }).toEqual({ path, moving: [] });
    }
    await visit.end();
  });

  it('does not read out a growing answer word by word', async () => {
    const visit = await Visit.begin(browser, caudex.url, person);
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do pears ripen?');
    await page.getByText('They ripen in').waitFor();
    const answer = page.getByRole('article', { name: 'Answer' });
    expect(await answer.evaluate((element) => element.closest('[aria-live], [role=status], [role=log]'))).toBeNull();
    await page.getByRole('status').getByText('An answer is being written.').waitFor({ state: 'attached' });
    await visit.answer();
    await page.getByRole('status').getByText('The answer is complete.').waitFor({ state: 'attached' });
    await visit.end();
  });
});
