import { setTimeout as wait } from 'node:timers/promises';
import { seeded } from '../../bench/real-text.ts';
import { ChromaServer, temporaryDir, until } from '../chroma-process.js';

const DOCUMENTS = 300;
const TOPICS = 12;
const WORDS_OF_A_TOPIC = 40;

/** Texts about twelve topics, each with its own and with common words: enough to train the built-in embedder. */
function documents(): Map<string, string> {
  const random = seeded(11);
  const pick = (from: readonly string[]) => from[Math.floor(random() ** 2 * from.length)] as string;
  const syllable = () => pick([...'bdfgklmnprstvz']) + pick([...'aeiou']);
  const vocabulary = (size: number) => Array.from({ length: size }, () => syllable() + syllable() + syllable());
  const all = vocabulary(400);
  const topics = Array.from({ length: TOPICS }, () => vocabulary(WORDS_OF_A_TOPIC));
  return new Map(
    Array.from({ length: DOCUMENTS }, (_, i) => {
      const own = topics[i % TOPICS] as string[];
      const words = Array.from({ length: 80 }, () => pick(random() < 0.4 ? own : all));
      return [`document-${i}`, `${words.join(' ')}.`];
    }),
  );
}

describe('the same documents, uploaded in another order', () => {
  const texts = documents();
  const questions = [...texts.values()]
    .filter((_, i) => i % 10 === 0)
    .map((text) => text.split(' ').slice(3, 9).join(' '));
  let server: ChromaServer;
  beforeAll(async () => (server = await new ChromaServer(temporaryDir()).start()));
  afterAll(() => server.end('SIGTERM'));

  async function ranked(project: string, order: readonly string[]): Promise<string[][]> {
    for (let at = 0; at < order.length; at += 10) {
      const paths = order.slice(at, at + 10);
      await Promise.all(paths.map((path) => server.upsert(project, path, texts.get(path) as string)));
    }
    await until(
      async () => {
        await wait(200);
        const state = await server.call<{ embedder: string; stale_passages: number }>('GET', `/projects/${project}`);
        return state.embedder.startsWith('latent') && state.stale_passages === 0;
      },
      'the project to be learned',
      60_000,
    );
    const rankings: string[][] = [];
    for (const question of questions) rankings.push(await server.found(project, question));
    return rankings;
  }

  it('are ranked in the same order', async () => {
    const random = seeded(3);
    const paths = [...texts.keys()];
    const mixed = paths.map((path) => ({ path, place: random() })).sort((a, b) => a.place - b.place);
    const forward = await ranked('forward', paths);
    for (const [name, order] of [
      ['backward', paths.toReversed()],
      ['mixed', mixed.map(({ path }) => path)],
    ] as const) {
      const other = await ranked(name, order);
      expect(other.map(([first]) => first)).toEqual(forward.map(([first]) => first));
      const shared = forward.flatMap((found, i) => found.map((path) => Number(other[i]?.includes(path))));
      expect(shared.reduce((sum, is) => sum + is, 0) / shared.length).toBeGreaterThan(0.98);
    }
  }, 120_000);
});
