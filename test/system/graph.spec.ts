import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { freePort } from '../free-port.js';
import { Caudex, type Person, until } from './caudex.js';

/** Many documents about pears, so that a related document is not among the best results by itself. */
const PEARS = Array.from(
  { length: 9 },
  (_, i) =>
    [`pears/${i}.md`, `# Pear ${i}\n\nThe pear harvest of orchard ${i} ripens in September, pear after pear.`] as const,
);
const QUESTION = 'When does the pear harvest of orchard 0 ripen?';

describe('the graph', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__CHAT__PASSAGES: '3', CAUDEX__SEARCH__GRAPH_BUDGET_MS: '300' });
    person = await caudex.signUp();
    project = await person.project();
    for (const [path, text] of PEARS) await person.upload(project, path, text);
    const links = PEARS.map(([path]) => `[${path}](${path})`).join(' ');
    await person.upload(project, 'cellar.md', `# The cellar\n\nWhat the harvest brings is kept here. ${links}`);
    await person.upload(project, 'unrelated.md', '# A mine\n\nThe harvest of coal.');
    await until(
      'the graph knows all',
      async () => (await graph()).nodes.filter(({ kind }) => kind === 'document').length === 11,
    );
    await until('all is indexed', async () => (await person.search(project, 'harvest')).total >= 11);
  }, 60_000);
  afterAll(() => caudex.stop());

  const graph = () =>
    person.get<{ nodes: { id: string; kind: string }[]; edges: unknown[] }>(`/v1/api/projects/${project}/graph`);
  const documents = ({ sources }: { sources: { document: string }[] }) => sources.map(({ document }) => document);

  it('is shown: documents, headings, people, commits, terms, and what is related', async () => {
    const kinds = new Set((await graph()).nodes.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(['document', 'heading', 'person', 'commit', 'term']));
    const { related } = await person.get<{ related: { path: string; reasons: string[] }[] }>(
      `/v1/api/projects/${project}/related?path=cellar.md&limit=3`,
    );
    expect(related).toHaveLength(3);
    expect(related[0]?.reasons).toContain('linked from here');
  });

  it('adds passages of related documents, after the best ones', async () => {
    const answer = await person.chat(project, QUESTION);
    expect(answer.degradation).toEqual([]);
    expect(answer.sources.length).toBeGreaterThan(3);
    expect(answer.sources.length).toBeLessThanOrEqual(5);
    const search = await person.search(project, QUESTION, { limit: 3 });
    expect(documents(answer).slice(0, 3)).toEqual(documents({ sources: search.results }));
    expect(documents(answer)).not.toContain('unrelated.md');
  });

  it('adds nothing while git is dead, and the answer reports this', async () => {
    await caudex.kill('git');
    const answer = await person.chat(project, QUESTION);
    expect(answer).toMatchObject({ status: 200, source: 'hybrid' });
    expect(answer.sources).toHaveLength(3);
    expect(answer.degradation).toEqual([{ service: 'git', reason: 'unreachable', fallback: 'none' }]);
    const none = await person.chat(project, 'zyzzyva');
    expect(none.degradation).toEqual([]);
    await caudex.launch('git');
    await until('the graph is back', async () => (await person.chat(project, QUESTION)).degradation.length === 0);
  }, 30_000);

  it('takes no more than its budget when git hangs', async () => {
    await caudex.kill('git');
    const hanging: Server = createServer(() => undefined).listen(caudex.ports.git, '127.0.0.1');
    await once(hanging, 'listening');
    const sockets = new Set<Socket>();
    hanging.on('connection', (socket) => sockets.add(socket));
    try {
      const beganMs = performance.now();
      const answer = await person.chat(project, QUESTION);
      expect(performance.now() - beganMs).toBeLessThan(2000);
      expect(answer.degradation).toEqual([{ service: 'git', reason: 'deadline', fallback: 'none' }]);
      expect(answer.sources).toHaveLength(3);
    } finally {
      for (const socket of sockets) socket.destroy();
      hanging.close();
      await once(hanging, 'close');
    }
  }, 30_000);
});

describe('a graph in Neo4j that is unavailable', () => {
  it('stops no commit and no answer', async () => {
    const caudex = await Caudex.start({
      GRAPH_SERVER_URL: `bolt://127.0.0.1:${await freePort()}`,
      GRAPH_PASSWORD: 'x',
    });
    try {
      const person = await caudex.signUp();
      const project = await person.project();
      const { version } = await person.upload(project, 'a.md', '# A\n\nfig');
      await until('the commit is there', async () => {
        const { versions } = await person.get<{ versions: { version: string }[] }>(
          `/v1/api/projects/${project}/history`,
        );
        return versions.some((one) => one.version === version);
      });
      expect(await person.get(`/v1/api/projects/${project}/related?path=a.md`, 503)).toMatchObject({
        code: 'graph_away',
      });
      expect(await caudex.breaker('git')).toMatchObject({ state: 'closed', failure_count: 0 });
    } finally {
      await caudex.stop();
    }
  }, 60_000);
});
