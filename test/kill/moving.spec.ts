import { Caudex, type Person, until } from '../system/caudex.js';
import { seeded } from '../random.js';

/** `KILL_ROUNDS` and `KILL_SEED` make a longer run of it. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4);
const SEED = Number(process.env['KILL_SEED'] ?? 20_261_126);
const DOCUMENTS = 25;

describe('moves of a folder, while processes are killed', () => {
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
    `keep the folder whole, and bring index and history in step (${ROUNDS} kills, seed ${SEED})`,
    async () => {
      const project = await person.project();
      const at = (rest: string) => `/v1/api/projects/${project}/${rest}`;
      const name = (n: number) => `${n}.md`;
      for (let n = 0; n < DOCUMENTS; n++)
        await person.upload(project, `f0/${name(n)}`, `# Note ${n}\n\nWord w${n}x.\n`);
      let folder = 'f0/';
      let moves = 0;
      for (let round = 1; round <= ROUNDS; round++) {
        const to = `f${round}/`;
        const answer = person.post(at('move'), { from: folder, to }).then(
          () => 'moved',
          () => 'no answer',
        );
        const apps = (['backend', 'filesystem', 'git', 'chroma'] as const).filter(
          (app) => app === 'backend' || next(2) === 0,
        );
        await new Promise((resolve) => setTimeout(resolve, next(120)));
        await Promise.all(apps.map((app) => caudex.kill(app)));
        const outcome = await answer;
        await Promise.all(apps.map((app) => caudex.launch(app)));

        const { documents } = await person.get<{ documents: { path: string }[] }>(at('documents'));
        const folders = new Set(documents.map(({ path }) => path.replace(/[^/]*$/, '')));
        expect(documents).toHaveLength(DOCUMENTS);
        expect(folders.size).toBe(1);
        const [now] = folders as unknown as Iterable<string>;
        if (outcome === 'moved') expect(now).toBe(to);
        else expect([folder, to]).toContain(now);
        if (now === to) moves++;
        folder = now as string;

        await until(
          'the index is in step',
          async () => {
            const index = await person.get<{ documents: number; queued: number }>(at('index'));
            return index.documents === DOCUMENTS && index.queued === 0;
          },
          30_000,
        );
        for (const n of [0, DOCUMENTS - 1]) {
          const { results } = await person.search(project, `w${n}x`);
          expect(results.filter(({ text }) => text.includes(`w${n}x.`)).map(({ document }) => document)).toEqual([
            folder + name(n),
          ]);
          await until('the history is in step', async () => {
            const { versions } = await person.get<{ versions: { path: string }[] }>(
              at(`history?path=${folder}${name(n)}`),
            );
            return versions.length === moves + 1 && versions[0]?.path === folder + name(n);
          });
        }
      }
    },
    60_000 + ROUNDS * 30_000,
  );
});
