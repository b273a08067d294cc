import type { Browser } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { FakeLlm, saysSlowly } from '../system/fake-llm.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { seeded } from '../random.js';

/** How many cut points are tried; `CAUDEX_CUTS=100` tries a hundred. */
const CUTS = Number(process.env['CAUDEX_CUTS'] ?? 4);
/** Words of several bytes for each character, so that a cut may lie within a character. */
const WORDS = Array.from({ length: 80 }, (_, index) => `Wört${index}·日本🍐`);
const ANSWER = WORDS.join(' ');
const STEP_MS = 8;
/** About what the stream of the answer has; a cut behind it tests that nothing breaks at the end either. */
const STREAM_BYTES = 8_000;

describeInBrowser('an answer over a connection that breaks', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let browser: Browser;
  let person: Person;
  let project: string;
  let proxy: CuttingProxy;
  let visit: Visit;

  beforeAll(async () => {
    [browser, llm] = await Promise.all([launchBrowser(), FakeLlm.start()]);
    llm.behaviour = saysSlowly(ANSWER, STEP_MS);
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      LLM_API_KEY: 'k',
      CAUDEX__CACHE__ANSWERS: 'false',
      // Shorter than some of the outages: then the rest comes from the stored turn.
      CAUDEX__CHAT__RESUME_MS: '2000',
      CAUDEX__BILLING__STARTING_CREDITS: '100000',
    });
    proxy = await CuttingProxy.start(caudex.ports.backend);
    person = await caudex.signUp();
    project = await person.project('Garden');
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September.');
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await proxy?.stop();
    await caudex?.stop();
    await llm?.stop();
  });
  beforeEach(async () => {
    proxy.isAway = false;
    visit = await Visit.begin(browser, proxy.url, person);
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  /** The answers of the newest conversation, as they are stored. */
  const stored = () =>
    until('the answer is stored', async () => {
      const list = await person.get<{ conversations: { conversation_id: string }[] }>('/v1/api/conversations?limit=1');
      const id = list.conversations[0]?.conversation_id ?? '';
      const { turns } = await person.get<{ turns: { answer: { text: string; state: string } }[] }>(
        `/v1/api/conversations/${id}?branch=all`,
      );
      return turns.every(({ answer }) => answer.state === 'complete') && turns.map(({ answer }) => answer.text);
    });

  /** How often the page asked for the rest of an answer, or asked again, since its connection was cut. */
  let reconnections = 0;
  const seeds = Array.from({ length: CUTS }, (_, seed) => seed);
  it.each(seeds)('has the stored text, whatever byte it breaks at (seed %i)', async (seed) => {
    const next = seeded(seed);
    let asked = 0;
    visit.page.on('request', (request) => {
      if (/\/v1\/api\/chat(\/[^/]+\/stream)?$/.test(request.url()) && (asked += 1) > 1) reconnections += 1;
    });
    const page = await visit.open(`/p/${project}/chat`);
    await page.getByLabel('Your question').waitFor();
    await page.waitForLoadState('networkidle');
    const again = next() < 0.5;
    proxy.cutAfter(Math.floor(next() * STREAM_BYTES));
    await visit.ask(`Tell me all about pears, ${seed}.`);
    if (again) {
      await until('the first cut', () => Promise.resolve(!proxy.isArmed), 5000).catch(() => undefined);
      proxy.cutAfter(Math.floor(next() * STREAM_BYTES));
    }
    expect(await visit.answer()).toBe(ANSWER);
    proxy.cutAfter(Infinity);
    expect(await stored()).toEqual([ANSWER]);
  });

  it('was cut while the answer was on its way, in many of these cases', () => {
    expect(reconnections).toBeGreaterThan(CUTS / 4);
    if (process.env['CAUDEX_CUTS'] !== undefined) console.warn(`${CUTS} cases, ${reconnections} reconnections`);
  });

  it('has the stored text after the lid was closed for longer than the answer took', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('Tell me all about pears with the lid closed.');
    await page.getByText('Wört5').first().waitFor();
    const session = await visit.context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    proxy.isAway = true;
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    proxy.isAway = false;
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    expect(await visit.answer()).toBe(ANSWER);
    expect(await stored()).toEqual([ANSWER]);
  });

  it('is in both of two open tabs, once, when both lose their connection', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('Tell me about pears in two tabs.');
    await visit.answer();
    await page.waitForURL(/\/chat\/[\w-]+$/);
    const second = await visit.tab();
    await second.open(new URL(page.url()).pathname);
    await second.answer();
    await visit.ask('And once more?');
    await second.page.getByText('And once more?').waitFor();
    proxy.cut();
    expect(await visit.answer(2)).toBe(ANSWER);
    expect(await second.answer(2)).toBe(ANSWER);
    expect(await stored()).toEqual([ANSWER, ANSWER]);
    expect(second.complaints).toEqual([]);
  });
});
