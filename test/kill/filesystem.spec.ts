import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.js';
import { seeded } from '../random.js';

/** `KILL_ROUNDS` and `KILL_SEED` make a longer run of it. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4);
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_123);
const USER = 'ada';
const PROJECT = 'p';
const PATHS = Array.from({ length: 12 }, (_, i) => `notes/${i}.md`);

/** The valid states of a document after a kill: as last acknowledged, or as left by a call without an answer. */
interface Expected {
  acknowledged: string | undefined;
  underWay: (string | undefined)[];
}

describe('the filesystem server, killed in the middle of its work', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'caudex-kill-'));
  const documents = new Map<string, Expected>(PATHS.map((path) => [path, { acknowledged: undefined, underWay: [] }]));
  const turns: string[] = [];
  let server: ServerProcess;
  const random = seeded(SEED);
  const next = (below: number) => Math.floor(random() * below);
  const document = (path: string) => `/projects/${PROJECT}/document?path=${encodeURIComponent(path)}`;
  /** The documents found that contain the word; further results may lack it. */
  const search = async (word: string) => {
    const { body } = await server.call('POST', `/projects/${PROJECT}/search`, USER, { query: word, limit: 100 });
    const results = body['results'] as { document: string; text: string }[];
    return results.filter(({ text }) => text.includes(`${word}.`)).map(({ document: found }) => found);
  };

  afterAll(async () => {
    await server.end('SIGKILL');
    rmSync(dataDir, { recursive: true });
  });

  /** Changes the documents of this writer one after the other until the server is killed. */
  async function write(paths: readonly string[], round: number): Promise<void> {
    for (let n = 0; ; n++) {
      const path = paths[next(paths.length)] as string;
      const expected = documents.get(path) as Expected;
      const word = `w${round}x${n}x${PATHS.indexOf(path)}`;
      const text = next(5) === 0 ? undefined : `# Note\n\nThe word here is ${word}.\n${'filler '.repeat(next(3000))}`;
      expected.underWay.push(text);
      const { status } =
        text === undefined
          ? await server.call('DELETE', document(path), USER)
          : await server.call('PUT', document(path), USER, { version: word, media_type: 'text/markdown', text });
      expect(status).toBe(200);
      Object.assign(expected, { acknowledged: text, underWay: [] });
    }
  }

  async function talk(round: number): Promise<void> {
    for (let n = 0; ; n++) {
      const message_id = `m${round}-${n}`;
      const turn = {
        ...{ message_id, created_at: new Date().toISOString(), question: 'Why?' },
        answer: { text: `because ${message_id}`, state: 'complete', metadata: {} },
      };
      const answer = await server.call('PUT', '/conversations/c/turns', USER, { project_id: PROJECT, turn });
      expect(answer.status).toBe(200);
      turns.push(message_id);
    }
  }

  /** Checks that every acknowledged change is there, the index agrees with the files, and no file is left over. */
  async function check(): Promise<void> {
    for (const [path, expected] of documents) {
      const { status, body } = await server.call('GET', document(path), USER);
      const text = status === 404 ? undefined : body['text'];
      expect([expected.acknowledged, ...expected.underWay]).toContain(text);
      for (const candidate of [expected.acknowledged, ...expected.underWay]) {
        if (candidate === undefined) continue;
        const word = /w\d+x\d+x\d+/.exec(candidate)?.[0] as string;
        expect(await search(word)).toEqual(candidate === text ? [path] : []);
      }
      Object.assign(expected, { acknowledged: text, underWay: [] });
    }
    const { body } = await server.call('GET', '/conversations/c', USER);
    const stored = (body['turns'] as { message_id: string; answer: { text: string } }[] | undefined) ?? [];
    expect(stored.map((turn) => turn.message_id)).toEqual(expect.arrayContaining(turns));
    for (const turn of stored) expect(turn.answer.text).toBe(`because ${turn.message_id}`);
    const files = readdirSync(join(dataDir, 'filesystem', 'files'), { recursive: true, withFileTypes: true });
    const kept = [...documents.values()].filter((expected) => expected.acknowledged !== undefined).length;
    expect(files.filter((entry) => entry.isFile())).toHaveLength(kept);
  }

  it(
    `keeps what it acknowledged over ${ROUNDS} kills (seed ${SEED})`,
    async () => {
      server = await ServerProcess.start('filesystem', { DATA_DIR: dataDir });
      await server.call('POST', '/projects', USER, { project_id: PROJECT, name: 'Notes' });
      for (let round = 0; round < ROUNDS; round++) {
        const clients = [write(PATHS.slice(0, 6), round), write(PATHS.slice(6), round), talk(round)];
        const ended = Promise.allSettled(clients);
        // Waits for progress and not for a time, so that the kill comes in the middle of the work.
        const wanted = turns.length + 5 + next(60);
        while (turns.length < wanted) await new Promise((resolve) => setTimeout(resolve, 2));
        await server.end('SIGKILL');
        for (const outcome of await ended) {
          expect(outcome).toMatchObject({
            status: 'rejected',
            reason: { message: expect.stringMatching(/fetch failed|terminated|other side closed/) },
          });
        }
        server = await ServerProcess.start('filesystem', { DATA_DIR: dataDir });
        await check();
      }
    },
    30_000 + ROUNDS * 10_000,
  );
});
