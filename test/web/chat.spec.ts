import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { FakeLlm, says, saysSlowly } from '../system/fake-llm.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';
import { CuttingProxy } from './cutting-proxy.ts';

const WORDS = Array.from({ length: 60 }, (_, index) => `word${index}`);
const LONG = WORDS.join(' ');
const STEP_MS = 40;

describeInBrowser('chatting on the page', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let browser: Browser;
  let person: Person;
  let project: string;
  let visit: Visit;

  beforeAll(async () => {
    [browser, llm] = await Promise.all([launchBrowser(), FakeLlm.start()]);
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      LLM_API_KEY: 'k',
      CAUDEX__CACHE__ANSWERS: 'false',
    });
  });
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
    await llm?.stop();
  });
  beforeEach(async () => {
    person = await caudex.signUp();
    project = await person.project('Garden');
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September. Store them cold and dark.');
    visit = await Visit.begin(browser, caudex.url, person);
    llm.behaviour = says('They ripen in **September** [1].');
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  const storedTurns = async () => {
    const { conversations } = await person.get<{ conversations: { conversation_id: string }[] }>(
      '/v1/api/conversations',
    );
    const id = conversations[0]?.conversation_id ?? '';
    return (await person.get<{ turns: { answer: { text: string; state: string } }[] }>(`/v1/api/conversations/${id}`))
      .turns;
  };
  const storedText = () =>
    until('the answer is stored', async () => {
      const [turn] = await storedTurns();
      return turn?.answer.state === 'complete' ? turn.answer.text : undefined;
    });
  const writing = (words: number) => visit.page.getByText(`word${words}`, { exact: false }).first().waitFor();

  it('answers with citations that open the passage, marked in its document', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do pears ripen?');
    expect(await visit.answer()).toContain('They ripen in September');
    await page.getByRole('button', { name: 'Passage 1: Pears' }).click();
    await page.locator('.passage mark', { hasText: 'Williams pears ripen in September' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.passage').waitFor({ state: 'detached' });
    expect(new URL(page.url()).pathname).toMatch(new RegExp(`^/p/${project}/chat/[\\w-]+$`));
  });

  it('says in one line what was worked around, and shows the services turn and recover', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await caudex.kill('chroma');
    try {
      await visit.ask('When do pears ripen?');
      await visit.answer();
      await page.getByText('Answered from full text: the vector index is away.').click();
      await page.getByText(/vector index: .*; passages came from full-text search instead/).waitFor();
      for (let tries = 0; tries < 4; tries += 1) await person.search(project, `pears ${tries}`);
      await page.getByRole('link', { name: 'Status' }).click();
      await page.getByText('The vector index is away.', { exact: false }).first().waitFor();
    } finally {
      await caudex.launch('chroma');
    }
    await until('chroma is asked again', async () => {
      await person.search(project, 'pears');
      return (await caudex.breaker('chroma')).state === 'closed';
    });
    await page.getByText('Everything works.').waitFor();
  });

  it('goes on without a missing or repeated word when the connection breaks', async () => {
    const proxy = await CuttingProxy.start(caudex.ports.backend);
    try {
      await visit.end();
      visit = await Visit.begin(browser, proxy.url, person);
      llm.behaviour = saysSlowly(LONG, STEP_MS);
      await visit.open(`/p/${project}/chat`);
      await visit.ask('When do pears ripen? Tell me all.');
      for (const word of [3, 14, 25, 40]) {
        await writing(word);
        proxy.cut();
      }
      expect(await visit.answer()).toBe(LONG);
      expect(await storedText()).toBe(LONG);
    } finally {
      await proxy.stop();
    }
  });

  it('goes on after a refresh, and in a second tab', async () => {
    llm.behaviour = saysSlowly(LONG, STEP_MS);
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do pears ripen? Tell me all.');
    await writing(5);
    await page.waitForURL(/\/chat\/[\w-]+$/);
    await page.reload();
    const second = await visit.tab();
    await second.open(new URL(page.url()).pathname);
    expect(await visit.answer()).toBe(LONG);
    expect(await second.answer()).toBe(LONG);
    expect(second.complaints).toEqual([]);
    expect(await storedTurns()).toHaveLength(1);
  });

  it('stops an answer, and keeps what there is of it', async () => {
    llm.behaviour = saysSlowly(LONG, STEP_MS);
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do pears ripen? Tell me all.');
    await writing(5);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('The answer was cut off here.', { exact: false }).waitFor();
    expect(await visit.answer()).toMatch(/^word0 word1 /);
  });

  it('keeps a question while the backend is away, and asks it once when it is back', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await page.getByLabel('Your question').fill('When do pears');
    await caudex.kill('backend');
    await visit.ask('When do pears ripen?');
    await page.getByText('Kept. It is sent when the backend is back.').waitFor();
    await page.getByText('The backend cannot be reached.', { exact: false }).waitFor();
    await caudex.launch('backend');
    expect(await visit.answer()).toContain('September');
    await page.getByText('The backend cannot be reached.', { exact: false }).waitFor({ state: 'detached' });
    await until('the turn is stored', async () => (await storedTurns()).length === 1);
  });

  it('asks a question that was not sent when the page was closed, once, at the next visit', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await page.getByLabel('Your question').waitFor();
    await caudex.kill('backend');
    await visit.ask('When do pears ripen?');
    await page.getByText('Kept. It is sent when the backend is back.').waitFor();
    await page.goto('about:blank');
    await caudex.launch('backend');
    await visit.open(`/p/${project}/chat`);
    expect(await visit.answer()).toContain('September');
    await until('the turn is stored', async () => (await storedTurns()).length === 1);
  });

  /** A conversation of so many turns. The backend is asked for none of them. */
  const openLong = async (number: number) => {
    const { conversation_id, message_id } = await person.chat(project, 'When do pears ripen?');
    const turns = Array.from({ length: number }, (_, index) => ({
      message_id: index === number - 1 ? message_id : `m${index}`,
      created_at: '2026-01-01T00:00:00.000Z',
      question: `Question ${index}`,
      answer: { text: `Answer **${index}**.\n\n${'Line\n\n'.repeat(index % 5)}`, state: 'complete', metadata: {} },
    }));
    const head = { conversation_id, project_id: project, title: 'Long', created_at: '', updated_at: '' };
    await visit.page.route(`**/v1/api/conversations/${conversation_id}?*`, (route) => {
      const query = new URL(route.request().url()).searchParams;
      const limit = Number(query.get('limit') ?? query.get('last'));
      const offset = Number(query.get('offset') ?? turns.length - limit);
      const json = { ...head, turns: turns.slice(offset, offset + limit), offset, total: turns.length };
      return route.fulfill({ json });
    });
    const page = await visit.open(`/p/${project}/chat/${conversation_id}`);
    await page.getByText(`Answer ${number - 1}.`).waitFor();
    return page;
  };
  /** With a step for the earlier turns, which are read when their place comes near. */
  const scrollUp = async (page: Page, until: string) => {
    await page.locator('.turns').hover();
    for (let steps = 0; steps < 200 && !(await page.getByText(until, { exact: true }).isVisible()); steps += 1) {
      await page.mouse.wheel(0, -1500);
      await page.waitForTimeout(50);
    }
    await page.getByText(until, { exact: true }).waitFor();
  };

  it('shows the end of a conversation of two thousand turns at once, and the earlier ones as one scrolls up', async () => {
    const page = await openLong(2000);
    expect(await page.getByRole('article').count()).toBeLessThan(40);
    await scrollUp(page, 'Question 1850');
    expect(await page.getByRole('article').count()).toBeLessThan(60);
    const turn = page.locator('.turn', { hasText: 'Question 1850' });
    expect(await turn.getAttribute('aria-posinset')).toBe('1851');
    expect(await turn.getAttribute('aria-setsize')).toBe('2000');
  });

  it('finds words in all turns of a long conversation, marks them, and leaves the second Ctrl+F to the browser', async () => {
    const page = await openLong(2000);
    await page.keyboard.press('Control+f');
    const field = page.getByRole('searchbox', { name: 'Find in this conversation' });
    await field.fill('answer 100');
    const bar = page.getByRole('search', { name: 'Find in this conversation' });
    // 100, and 1000 to 1009.
    await bar.getByText('11 of 11 questions').waitFor();
    await page.getByText('Question 1009', { exact: true }).waitFor();
    const marked = () =>
      page.evaluate(() =>
        [...(CSS.highlights.get('found') ?? [])].map(
          (range) => (range as Range).startContainer.parentElement?.closest('.turn')?.textContent,
        ),
      );
    await until('it is marked', async () => (await marked()).some((text) => text?.includes('Question 1009') === true));
    await page.keyboard.press('Enter');
    await bar.getByText('10 of 11 questions').waitFor();
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Shift+Enter');
    await bar.getByText('1 of 11 questions').waitFor();
    const turn = page.locator('.turn', { hasText: 'Question 100' });
    await turn.first().waitFor();
    await until('it stays in sight', async () => {
      const box = await page.getByText('Question 100', { exact: true }).boundingBox();
      return box !== null && box.y > 0 && box.y < 700;
    });
    expect(await page.getByRole('article').count()).toBeLessThan(60);
    const taken = await field.evaluate(
      (input) =>
        !input.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'f', ctrlKey: true, bubbles: true, cancelable: true }),
        ),
    );
    expect(taken).toBe(false);
    await field.fill('quinces');
    await bar.getByText('Not in this conversation').waitFor();
    await page.keyboard.press('Escape');
    await bar.waitFor({ state: 'detached' });
    expect(await marked()).toEqual([]);
  });

  it('leaves the turn that is read where it is while earlier ones come in front', async () => {
    const page = await openLong(200);
    let pass: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (pass = resolve));
    await page.route(/[?&]offset=/, async (route) => {
      await held;
      await route.fallback();
    });
    await page.locator('.turns').evaluate((turns) => turns.scrollTo(0, 0));
    const first = page.getByText('Question 180', { exact: true });
    await first.waitFor();
    await page.getByRole('button', { name: 'Show 180 earlier questions', disabled: true }).waitFor();
    const before = await first.boundingBox();
    pass();
    await page.getByText('Question 179', { exact: true }).waitFor({ state: 'attached' });
    await page.waitForTimeout(200);
    expect(Math.abs(((await first.boundingBox())?.y ?? NaN) - (before?.y ?? NaN))).toBeLessThan(2);
  });

  it('keeps an edited question in the page, however far one scrolls', async () => {
    const page = await openLong(200);
    await page.getByRole('article', { name: 'You' }).last().hover();
    await page.getByRole('button', { name: 'Edit' }).last().click();
    await page.getByLabel('The question, edited').fill('Half a thought');
    await scrollUp(page, 'Question 120');
    expect(await page.getByLabel('The question, edited').inputValue()).toBe('Half a thought');
  });

  it('asks for the password over the page when the session ends, and loses nothing that was typed', async () => {
    await visit.end();
    visit = await Visit.begin(browser, caudex.url);
    const page = await visit.open('/');
    const email = `reader${Date.now()}@example.org`;
    const credentials = async (word: string) => {
      await page.getByLabel('E-mail address').fill(email);
      await page.getByLabel('Password').fill(word);
      await page.locator('form .button-primary').click();
    };
    await page.getByRole('button', { name: 'No account yet? Make one' }).click();
    await credentials('correct horse battery');
    await page.getByLabel('Name of the project').fill('Mine');
    await page.getByRole('button', { name: 'Make the project' }).click();
    await page.getByRole('link', { name: 'Chat', exact: true }).first().click();
    const cookie = (await visit.context.cookies()).find(({ name }) => name === 'auth_token');
    await fetch(`${caudex.url}/v1/api/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cookie?.value}` },
    });
    await visit.ask('What is here?');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await credentials('a wrong one');
    await page.getByText('This address and password do not belong together.').waitFor();
    await credentials('correct horse battery');
    await visit.answer();
    await page.getByRole('article', { name: 'You' }).getByText('What is here?').waitFor();
  });
});
