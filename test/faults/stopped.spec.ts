import { execFileSync } from 'node:child_process';
import { Caudex, type Person, until } from '../system/caudex.js';

const QUESTION = 'When do pears ripen?';

/** The child processes of a process. */
const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .map(Number)
    .filter((child) => child > 0);

describe('a process that is stopped and continued later', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    const timeouts = ['AUTH', 'FILESYSTEM', 'CHROMA', 'BILLING', 'GIT'].map((service) => [
      `CAUDEX__DOWNSTREAM__${service}__TIMEOUT_MS`,
      '1000',
    ]);
    caudex = await Caudex.start({
      ...(Object.fromEntries(timeouts) as Record<string, string>),
      CAUDEX__SESSION__FRESH_MS: '0',
      CAUDEX__DOWNSTREAM__BILLING__FAILURE_THRESHOLD: '5',
      CAUDEX__CHAT__CONTEXT_BUDGET_MS: '1000',
      CAUDEX__SEARCH__CONTEXT_BUDGET_MS: '1000',
    });
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first, in September.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    await person.chat(project, QUESTION);
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
  });

  const use = {
    auth: () => person.request('GET', '/v1/api/auth/check'),
    filesystem: () => person.request('GET', '/v1/api/conversations'),
    chroma: () => person.search(project, 'pears'),
    billing: () => person.request('GET', '/v1/api/billing/balance'),
    git: () => person.request('GET', `/v1/api/projects/${project}/history`),
  };

  it.each(['auth', 'filesystem', 'chroma', 'billing', 'git'] as const)(
    '%s: answers go on, its breaker opens, and closes when it goes on',
    async (app) => {
      process.kill(caudex.pid(app), 'SIGSTOP');
      try {
        const beganMs = performance.now();
        expect((await person.search(project, 'pears')).results).toHaveLength(1);
        expect((await person.chat(project, QUESTION)).status).toBe(200);
        expect(performance.now() - beganMs).toBeLessThan(10_000);
        await until(`the breaker of ${app} opens`, async () => {
          await Promise.allSettled([1, 2, 3].map(() => use[app]()));
          return (await caudex.breaker(app)).state !== 'closed';
        });
      } finally {
        process.kill(caudex.pid(app), 'SIGCONT');
      }
      await until('all is well again', async () => {
        await use[app]();
        const { degraded } = await person.search(project, `pears ${Math.random()}`);
        return (await caudex.breaker(app)).state === 'closed' && !degraded;
      });
    },
    60_000,
  );

  it('ChromaDB: full text answers meanwhile, and vector search works again when it continues', async () => {
    const children = childrenOf(caudex.pid('chroma'));
    expect(children.length).toBeGreaterThan(0);
    for (const child of children) process.kill(child, 'SIGSTOP');
    try {
      const answer = await person.search(project, 'when do pears ripen');
      expect(answer).toMatchObject({ degraded: true, source: 'fulltext', outcome: 'found' });
    } finally {
      for (const child of children) process.kill(child, 'SIGCONT');
    }
    await until(
      'meaning is back',
      async () => {
        const { source, degraded } = await person.search(project, `pears ${Math.random()}`);
        return source === 'hybrid' && !degraded;
      },
      30_000,
    );
  }, 60_000);
});
