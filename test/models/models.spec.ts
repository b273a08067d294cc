import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex, type ChatAnswer, type Person, type StreamEvent, until } from '../system/caudex.js';
import { FakeLlm, says } from '../system/fake-llm.js';
import { renderPage, type Row } from './models-page.js';
import { SCENES, type Scene } from './scenes.js';

const PAGE = join(import.meta.dirname, '../../docs/models.md');
const SEEN_CHARS = 110;

interface Status {
  state: string;
  failure_count: number;
  misconfigured: boolean;
}

describe('the behaviour of a model endpoint', () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  const rows: Row[] = [];
  /** Whether the scene before left no failure and no pause. */
  let isFresh = true;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      CAUDEX__DOWNSTREAM__LLM__RETRY_BASE_MS: '20',
    });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nThe pears ripen in September.');
    await until('the document is indexed', async () => (await ann.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  async function play({ does, behaviour }: Scene): Promise<Row> {
    if (!isFresh) {
      // Only the backend keeps the state of the model; a new process has none.
      await caudex.kill('backend', 'SIGTERM');
      await caudex.launch('backend');
    }
    llm.behaviour = behaviour;
    const answer = await ann.chat(project, 'When do the pears ripen?');
    const { services } = await ann.get<{ services: { llm: Status } }>('/v1/api/status/services');
    const row = rowOf(does, answer as ChatAnswer & { finish_reason: string }, services.llm);
    isFresh = row.model === 'fake' && row.status === 'closed, 0 failures';
    return row;
  }

  it.each(SCENES)(
    '$does: a person gets an answer, or is told why not',
    async (scene) => {
      const row = await play(scene);
      rows.push(row);
      expect(row.sees).not.toBe('');
      if (row.status.includes('misconfigured')) expect(row.sees).toContain('an operator has to correct that');
    },
    30_000,
  );

  it('matches docs/models.md', () => {
    const page = renderPage(rows);
    if (process.env['CAUDEX_WRITE_DOCS'] === '1') writeFileSync(PAGE, page);
    expect(existsSync(PAGE) && readFileSync(PAGE, 'utf8')).toBe(page);
  });

  describe('a block of thinking that only ends', () => {
    const opensItself = (...parts: string[]) => says(['Hm, pears.', '</think>\n\n', ...parts].join(' '));

    beforeEach(async () => {
      await caudex.kill('backend', 'SIGTERM');
      await caudex.launch('backend');
    });

    it('is retracted in the first stream, and is thinking in the second', async () => {
      llm.behaviour = opensItself('In September [1].');
      const first = await ann.chatStream(project, 'When do the pears ripen, at first?');
      const types = first.map(({ data }) => (data === '[DONE]' ? data : data.type));
      const retracted = types.indexOf('data-retraction');
      expect(types.slice(retracted - 1, retracted + 2)).toEqual(['text-end', 'data-retraction', 'text-start']);
      const answer = textAfter(first, retracted);
      expect(answer).toBe('In September [1].');
      const { conversation_id } = first.flatMap(({ data }) =>
        data === '[DONE]' ? [] : (data.messageMetadata ?? []),
      )[0]!;
      const { turns } = await ann.get<{ turns: { answer: { text: string; state: string } }[] }>(
        `/v1/api/conversations/${conversation_id}`,
      );
      expect(turns[0]?.answer).toMatchObject({ text: 'In September [1].', state: 'complete' });

      const second = await ann.chatStream(project, 'When do the pears ripen, again?');
      expect(second.some(({ data }) => data !== '[DONE]' && data.type === 'data-retraction')).toBe(false);
      expect(textAfter(second, 0)).toBe('In September [1].');
    });

    it('is in no JSON answer, of our own API and of OpenAI', async () => {
      llm.behaviour = opensItself('In September [1].');
      expect((await ann.chat(project, 'When do the pears ripen, in JSON?')).response).toBe('In September [1].');
      await caudex.kill('backend', 'SIGTERM');
      await caudex.launch('backend');
      const completion = await ann.post<{ choices: { message: { content: string } }[] }>('/v1/chat/completions', {
        model: `caudex:${project}`,
        messages: [{ role: 'user', content: 'When do the pears ripen?' }],
      });
      expect(completion.choices[0]?.message.content).toBe('In September [1].');
    });
  });

  it('does not suggest a repetition where only an operator can help', async () => {
    const refused = SCENES.find(({ does }) => does.includes('401')) as Scene;
    llm.behaviour = refused.behaviour;
    const { response } = await ann.chat(undefined, 'When do the pears ripen?');
    expect(response).toContain('an operator has to correct that');
    expect(response).not.toMatch(/ask again|little while/);
  });

  it('is not called while it rests after a 429, and the person is told for how long', async () => {
    await caudex.kill('backend', 'SIGTERM');
    await caudex.launch('backend');
    llm.behaviour = (SCENES.find(({ does }) => does.includes('429 with')) as Scene).behaviour;
    llm.requests.length = 0;
    for (const question of ['When do they ripen?', 'When do the pears ripen?']) {
      const answer = await ann.request(
        'POST',
        '/v1/api/chat',
        JSON.stringify({ message: question, project_id: project }),
        {
          'content-type': 'application/json',
        },
      );
      const { response, retry_after } = (await answer.json()) as { response: string; retry_after: number };
      expect(response).toMatch(/can be asked again in (30|29|28) seconds/);
      expect(answer.headers.get('retry-after')).toBe(String(retry_after));
    }
    expect(llm.requests).toHaveLength(1);
  });
});

/** The text in the events after this one. */
function textAfter(events: readonly StreamEvent[], index: number): string {
  return events
    .slice(index)
    .map(({ data }) => (data !== '[DONE]' && data.type === 'text-delta' ? data.delta : ''))
    .join('');
}

function rowOf(does: string, answer: ChatAnswer & { finish_reason: string }, llm: Status): Row {
  const line = answer.response.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  const status = [llm.state, `${llm.failure_count} failures`, ...(llm.misconfigured ? ['misconfigured'] : [])];
  return {
    does,
    sees: line.length <= SEEN_CHARS ? line : `${line.slice(0, SEEN_CHARS)}…`,
    state: answer.state,
    finish: answer.finish_reason,
    model: answer.model,
    degradation: answer.degradation
      .map(({ service, reason, fallback }) => `${service} ${reason} → ${fallback}`)
      .join('; '),
    status: status.join(', '),
  };
}
