import { APPS, type App, Caudex, type Person, until } from '../system/caudex.js';
import { chunk, END, FakeLlm } from '../system/fake-llm.js';
import { seeded } from '../random.js';
import { UserLoad } from './user-load.js';

const KILLS = Number(process.env['CAUDEX_KILLS'] ?? '1');
const SEED = Number(process.env['CAUDEX_SEED'] ?? '20250807');
const LONGEST_WAIT_MS = 250;
const OPERATOR = 'operator@example.org';

interface Reader {
  person: Person;
  project: string;
  load: UserLoad;
}

describe(`SIGKILL of each process at ${KILLS} instants (CAUDEX_KILLS) of the seed ${SEED} (CAUDEX_SEED)`, () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let operator: Person;
  const readers: Reader[] = [];
  const random = seeded(SEED);

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = async (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const word of ['It ', 'is ', 'as ', 'it ', 'is.']) {
        reply.write(chunk(word));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      reply.end(END);
    };
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake-1',
      CAUDEX__AUTH__OPERATORS: `["${OPERATOR}"]`,
      CAUDEX__BILLING__STARTING_CREDITS: '1000000',
      CAUDEX__CHAT__SAVE_WAIT_MS: '20',
      CAUDEX__DOCUMENTS__INDEX_WAIT_MS: '20',
      CAUDEX__OUTBOX__RETRY_BASE_MS: '50',
      CAUDEX__OUTBOX__RETRY_MAX_MS: '1000',
    });
    operator = await caudex.signUp(OPERATOR);
    for (const name of ['ada', 'bob']) {
      const person = await caudex.signUp(`${name}@example.org`);
      const project = await person.project();
      readers.push({ person, project, load: new UserLoad(person, project, name, seeded(SEED + readers.length + 1)) });
    }
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  it.each(APPS)(
    '%s loses nothing and does nothing twice',
    async (app) => {
      const before = acknowledged();
      for (const { load } of readers) load.start();
      for (let kill = 0; kill < KILLS; kill++) await killOnce(app);
      await Promise.all(readers.map(({ load }) => load.stop()));
      expect(acknowledged()).toBeGreaterThan(before);
      await settled();
      for (const reader of readers) {
        await turnsAreThereOnce(reader);
        await chargesAreThereOnce(reader);
        await documentsAreThere(reader);
      }
    },
    60_000 + KILLS * 15_000,
  );

  function acknowledged(): number {
    return readers.reduce((sum, { load }) => sum + load.acknowledged, 0);
  }

  async function killOnce(app: App): Promise<void> {
    const seen = acknowledged();
    await until('the load goes on', async () => acknowledged() > seen + 2, 30_000);
    await pause(random() * LONGEST_WAIT_MS);
    await caudex.kill(app);
    await pause(random() * LONGEST_WAIT_MS);
    await caudex.launch(app);
  }

  /**
   * Every delivery is made, and none is set aside. The time depends on their number after
   * a long run; that it goes on does not.
   */
  async function settled(): Promise<void> {
    for (let before = Infinity; before > 0;) {
      before = await until(
        `one of ${before} entries of the outbox is delivered`,
        async () => {
          const left = await owed();
          return left < before && { left };
        },
        30_000,
      ).then(({ left }) => left);
    }
  }

  async function owed(): Promise<number> {
    const { queues } = await operator.get<{ queues: { state: string; entries: number }[] }>('/v1/api/status/outbox');
    expect(queues.filter(({ state }) => state === 'dead')).toEqual([]);
    return queues.reduce((sum, { entries }) => sum + entries, 0);
  }

  async function turnsAreThereOnce({ person, load }: Reader): Promise<void> {
    const known = new Map(load.asked.map((asked) => [asked.messageId, asked]));
    expect(known.size).toBe(load.asked.length);
    for (const { conversationId, messageId, question, credits } of load.asked) {
      const { turns } = await person.get<{ turns: Turn[] }>(`/v1/api/conversations/${conversationId}`);
      expect(turns).toMatchObject([{ message_id: messageId, question }]);
      // An interrupted answer is marked; an acknowledged one is complete.
      expect(['complete', 'partial', 'failed']).toContain(turns[0]?.answer.state);
      if (credits !== null && turns[0]?.answer.state === 'complete') expect(turns[0].answer.text).not.toBe('');
    }
    const questions = await everyQuestion(person);
    expect(new Set(questions).size).toBe(questions.length);
  }

  /** Includes chats without an answer. */
  async function everyQuestion(person: Person): Promise<string[]> {
    const questions: string[] = [];
    for (let offset = 0; ; offset += 1000) {
      const { conversations } = await person.get<{ conversations: { title: string }[] }>(
        `/v1/api/conversations?limit=1000&offset=${offset}`,
      );
      questions.push(...conversations.map(({ title }) => title));
      if (conversations.length < 1000) return questions;
    }
  }

  async function chargesAreThereOnce({ person, load }: Reader): Promise<void> {
    const rows: LedgerRow[] = [];
    for (let offset = 0; ; offset += 1000) {
      const page = await person.get<{ rows: LedgerRow[] }>(`/v1/api/billing/usage?limit=1000&offset=${offset}`);
      rows.push(...page.rows);
      if (page.rows.length < 1000) break;
    }
    const captures = rows.filter(({ kind }) => kind === 'capture');
    const charged = new Map(captures.map(({ message_id, credits }) => [message_id, credits]));
    expect(charged.size).toBe(captures.length);
    for (const { messageId, credits } of load.asked) {
      if (credits !== null)
        expect({ messageId, credits: charged.get(messageId) }).toEqual({ messageId, credits: -credits });
    }
    const { credits } = await person.get<{ credits: number }>('/v1/api/billing/balance');
    expect(rows.reduce((sum, row) => sum + row.credits, 0)).toBe(credits);
  }

  /** Newest first. */
  async function history(person: Person, project: string, path: string): Promise<string[]> {
    const committed: string[] = [];
    for (let total = Infinity; committed.length < total;) {
      const query = `limit=1000&offset=${committed.length}&path=${encodeURIComponent(path)}`;
      const page = await person.get<{ versions: { version: string }[]; total: number }>(
        `/v1/api/projects/${project}/history?${query}`,
      );
      total = page.total;
      committed.push(...page.versions.map(({ version }) => version));
    }
    return committed;
  }

  async function documentsAreThere({ person, project, load }: Reader): Promise<void> {
    for (const [path, revisions] of load.documents) {
      const lastAcknowledged = revisions.findLastIndex(({ version }) => version !== null);
      const answer = await person.request('GET', `/v1/api/projects/${project}/documents/${path}`);
      if (lastAcknowledged < 0 && answer.status === 404) continue;
      const text = await answer.text();
      const current = revisions.findIndex((revision) => revision.text === text);
      expect({ path, text, current: current >= Math.max(0, lastAcknowledged) }).toMatchObject({ current: true });

      const committed = await history(person, project, path);
      expect(new Set(committed).size).toBe(committed.length);
      const promised = revisions.map(({ version }) => version).filter((version) => version !== null);
      expect(committed).toEqual(expect.arrayContaining(promised));
      expect(`"${committed[0]}"`).toBe(answer.headers.get('etag'));

      const { word } = revisions[current] as { word: string };
      for (const mode of ['fulltext', 'vector']) {
        const { results } = await person.search(project, word, { mode });
        expect({ mode, path, best: results[0]?.document }).toEqual({ mode, path, best: path });
        expect(results[0]?.text).toContain(word);
      }
      for (const stale of revisions.filter((_, index) => index !== current).slice(-5)) {
        const { results } = await person.search(project, stale.word, { mode: 'fulltext' });
        expect({ stale: stale.word, results }).toEqual({ stale: stale.word, results: [] });
      }
    }
  }
});

interface Turn {
  message_id: string;
  question: string;
  answer: { state: string; text: string };
}
interface LedgerRow {
  message_id: string | null;
  kind: string;
  credits: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
