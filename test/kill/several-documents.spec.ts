import { Caudex, type Person, until } from '../system/caudex.js';
import { seeded } from '../random.js';

/** `KILL_ROUNDS` and `KILL_SEED` make a longer run of it. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4);
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_127);
const DOCUMENTS = 60;

describe('changes of several documents in one call, while processes are killed', () => {
  let caudex: Caudex;
  let person: Person;
  const random = seeded(SEED);
  const next = (below: number) => Math.floor(random() * below);
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());

  it(
    `lose no document, and bring index and history in step (${ROUNDS} kills, seed ${SEED})`,
    async () => {
      const project = await person.project();
      const at = (rest: string) => `/v1/api/projects/${project}/${rest}`;
      const pathsIn = async (list: 'documents' | 'trash') => {
        const { documents } = await person.get<{ documents: { path: string }[] }>(at(`${list}?limit=1000`));
        return documents.map(({ path }) => path);
      };
      const numberOf = (path: string) => Number(/(\d+)\.md$/.exec(path)?.[1]);
      const everyOne = Array.from({ length: DOCUMENTS }, (_, n) => n);
      for (const n of everyOne) await person.upload(project, `f0/${n}.md`, `# Note ${n}\n\nWord w${n}x.\n`);

      for (let round = 1; round <= ROUNDS; round++) {
        const paths = await pathsIn('documents');
        const moves = paths.map((from) => ({ from, to: `f${round}/${numberOf(from)}.md` }));
        const call =
          round % 2 === 0
            ? person.post(at('documents/delete'), { paths, trash: true })
            : person.post(at('documents/move'), { moves });
        const answer = call.then(
          ({ done }) => Number(done),
          () => undefined,
        );
        const apps = (['backend', 'filesystem', 'git', 'chroma'] as const).filter(
          (app) => app === 'backend' || next(2) === 0,
        );
        await new Promise((resolve) => setTimeout(resolve, next(150)));
        await Promise.all(apps.map((app) => caudex.kill(app)));
        const done = await answer;
        await Promise.all(apps.map((app) => caudex.launch(app)));

        const [documents, trash] = [await pathsIn('documents'), await pathsIn('trash')];
        expect([...documents, ...trash].map(numberOf).sort((a, b) => a - b)).toEqual(everyOne);
        if (done !== undefined) expect(done).toBe(DOCUMENTS);
        await until(
          'the index is in step',
          async () => {
            const index = await person.get<{ documents: number; queued: number }>(at('index'));
            return index.documents === documents.length && index.queued === 0;
          },
          30_000,
        );
        for (const n of [0, 24, 25, DOCUMENTS - 1]) {
          const path = documents.find((one) => numberOf(one) === n);
          const { results } = await person.search(project, `w${n}x`);
          const found = results.filter(({ text }) => text.includes(`w${n}x.`)).map(({ document }) => document);
          expect(found).toEqual(path === undefined ? [] : [path]);
          await until('the history is in step', async () => {
            const kept = path ?? trash.find((one) => numberOf(one) === n);
            const { versions } = await person.get<{ versions: { path: string; message: string }[] }>(
              at(`history?path=${kept}`),
            );
            return versions[0]?.path === kept && versions[0]?.message.startsWith('Delete') === (path === undefined);
          });
        }
        if (trash.length > 0) {
          const restored = await person.post(at('documents/restore'), { documents: trash.map((path) => ({ path })) });
          expect(restored).toMatchObject({ done: trash.length, failed: 0 });
        }
      }
    },
    60_000 + ROUNDS * 30_000,
  );
});
