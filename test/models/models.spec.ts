import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex, type ChatAnswer, type Person, until } from '../system/caudex.js';
import { FakeLlm } from '../system/fake-llm.js';
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

  it('does not suggest a repetition where only an operator can help', async () => {
    const refused = SCENES.find(({ does }) => does.includes('401')) as Scene;
    llm.behaviour = refused.behaviour;
    const { response } = await ann.chat(undefined, 'When do the pears ripen?');
    expect(response).toContain('an operator has to correct that');
    expect(response).not.toMatch(/ask again|little while/);
  });
});

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
