import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { FakeLlm, type LlmRequest, says } from '../system/fake-llm.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

interface StoredTurn {
  message_id: string;
  question: string;
  parent_id?: string | null;
  siblings?: string[];
  feedback?: { rating: string; note: string };
}

describeInBrowser('turns of a chat on the page', () => {
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
      LLM_MODEL: 'first-model',
      LLM_API_KEY: 'k',
      CAUDEX__LLM__FALLBACKS: `[{url: "${llm.url}", model: second-model}]`,
      CAUDEX__CACHE__ANSWERS: 'false',
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
    await llm?.stop();
  });
  beforeEach(async () => {
    person = await caudex.signUp();
    project = await person.project('Garden');
    await person.upload(project, 'fruit/pears.md', '# Pears\n\nWilliams pears ripen in September.');
    await person.upload(project, 'trees/plums.md', '# Plums\n\nPlums ripen in August, before the pears.');
    visit = await Visit.begin(browser, caudex.url, person);
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  const stored = async (): Promise<StoredTurn[]> => {
    const list = await person.get<{ conversations: { conversation_id: string }[] }>('/v1/api/conversations');
    const id = list.conversations[0]?.conversation_id ?? '';
    return (await person.get<{ turns: StoredTurn[] }>(`/v1/api/conversations/${id}?branch=all`)).turns;
  };
  const answers = (page: Page) => page.getByRole('article', { name: 'Answer' });
  const ask = async (question: string, answer: string, number = 1) => {
    llm.behaviour = says(answer);
    await visit.ask(question);
    await answers(visit.page)
      .nth(number - 1)
      .getByText(answer)
      .waitFor();
    await visit.answer(number);
  };
  const lastRequest = (): LlmRequest => llm.requests.at(-1) as LlmRequest;

  it('keeps both answers of a question that is asked again, and goes on in the one that is shown', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'The first answer.');
    llm.behaviour = says('The second answer.');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('The second answer.').waitFor();
    await page.getByText('2 / 2').waitFor();
    expect(await answers(page).count()).toBe(1);

    await page.getByRole('button', { name: 'The version before' }).click();
    await page.getByText('The first answer.').waitFor();
    await page.getByText('1 / 2').waitFor();
    await ask('And plums?', 'The answer to the follow-up.', 2);
    await page.getByText('The first answer.').waitFor();

    const turns = await stored();
    expect(turns).toHaveLength(3);
    const followUp = turns.find(({ question }) => question === 'And plums?');
    const first = turns.find(({ question }) => question === 'When do pears ripen?');
    expect(followUp?.parent_id).toBe(first?.message_id);
    await page.reload();
    await page.getByText('The answer to the follow-up.').waitFor();
    await page.getByText('1 / 2').waitFor();
  });

  it('asks an edited question in the place of the first one, and keeps the first as a version', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'In September.');
    await ask('And plums?', 'In August.', 2);
    llm.behaviour = says('About quinces.');
    await page.getByRole('article', { name: 'You' }).first().hover();
    await page.getByRole('button', { name: 'Edit' }).first().click();
    await page.getByLabel('The question, edited').fill('When do quinces ripen?');
    await page.getByRole('button', { name: 'Ask this instead' }).click();
    await page.getByText('About quinces.').waitFor();
    await page.getByText('2 / 2').waitFor();
    expect(await answers(page).count()).toBe(1);
    await page.getByRole('button', { name: 'The version before' }).click();
    await page.getByText('In August.').waitFor();
    expect(await answers(page).count()).toBe(2);
    expect(await page.getByRole('article', { name: 'You' }).first().innerText()).toContain('When do pears ripen?');
  });

  it('shows the answer before again when the new one is refused', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'In September.');
    const problem = { code: 'out_of_credits', status: 402, detail: 'No credits.' };
    await page.route('**/v1/api/chat', (route) => route.fulfill({ status: 402, json: problem }));
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.getByText('Your credits are used up', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Back to the answer before' }).click();
    await page.getByText('In September.').waitFor();
    await page.unroute('**/v1/api/chat');
    await ask('And plums?', 'In August.', 2);
    expect(await stored()).toHaveLength(2);
  });

  it('takes thumbs with a note, shows them after a reload, and takes them back', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'In September.');
    await page.getByRole('button', { name: 'Bad answer' }).click();
    await page.getByLabel('What was wrong? (optional)').fill('It is October.');
    await page.getByRole('button', { name: 'Save the note' }).click();
    await page.getByText('Noted, thank you.').waitFor();
    expect((await stored())[0]?.feedback).toMatchObject({ rating: 'down', note: 'It is October.' });
    await page.reload();
    const bad = page.getByRole('button', { name: 'Bad answer', pressed: true });
    await bad.click();
    await bad.waitFor({ state: 'detached' });
    expect((await stored())[0]?.feedback).toBeUndefined();
  });

  it('deletes a turn, and takes the deletion back', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'In September.');
    await ask('And plums?', 'In August.', 2);
    const remove = async () => {
      await page.getByRole('button', { name: 'More for this answer' }).first().click();
      await page.getByRole('menuitem', { name: 'Delete question and answer' }).click();
      await page.getByText('In September.').waitFor({ state: 'detached' });
    };
    await remove();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('In September.').waitFor();
    await remove();
    await page.getByText('“When do pears ripen?” deleted').waitFor({ state: 'detached' });
    await until(
      'the turn is gone',
      async () => (await stored()).map(({ question }) => question).join() === 'And plums?',
    );
    await page.getByText('In August.').waitFor();
  });

  it('asks about the chosen documents alone', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await page.getByRole('button', { name: 'Whole project' }).click();
    await page.getByLabel('trees/', { exact: true }).check();
    await page.getByRole('button', { name: 'Ask only these' }).click();
    await page.getByRole('button', { name: '1 folder' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: '1 folder' }).waitFor();
    await ask('When do pears ripen?', 'In August.');
    await page.waitForURL(/\/chat\/[^/]+$/);
    await page.reload();
    await page.getByRole('button', { name: '1 folder' }).waitFor();
    const prompt = JSON.stringify(lastRequest().messages);
    expect(prompt).toContain('Plums ripen in August');
    expect(prompt).not.toContain('Williams pears');
  });

  it('keeps nothing on the device for a conversation that is deleted', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await ask('When do pears ripen?', 'In September.');
    await page.waitForURL(/\/chat\/[^/]+$/);
    await page.getByRole('button', { name: 'Whole project' }).click();
    await page.getByLabel('trees/', { exact: true }).check();
    await page.getByRole('button', { name: 'Ask only these' }).click();
    await page.getByLabel('Your question').fill('Half a thought');
    const kept = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('caudex:draft:')));
    expect(await kept()).toHaveLength(2);
    await page.getByRole('button', { name: 'Actions for “When do pears ripen?”' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await until('nothing is kept', async () => (await kept()).length === 0);
  });

  it('asks the model that is chosen, with the instructions of the project', async () => {
    const page = await visit.open(`/p/${project}/chat`);
    await page.getByRole('button', { name: 'Instructions' }).click();
    await page.getByRole('textbox', { name: 'Instructions' }).fill('Answer in rhymes.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByLabel('Language model').selectOption('second-model');
    await ask('When do pears ripen?', 'In September.');
    expect(lastRequest().model).toBe('second-model');
    expect(JSON.stringify(lastRequest().messages)).toContain('Answer in rhymes.');
  });
});
