import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Caudex, type Person, until } from './caudex.js';

const OPERATOR = 'operator@example.org';

const by =
  <K extends string>(key: K) =>
  (a: Record<K, string>, b: Record<K, string>) =>
    a[key] < b[key] ? -1 : 1;

describe('a lost or restored store', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start({
      CAUDEX__DOCUMENTS__COMPARE_MS: '200',
      CAUDEX__AUTH__OPERATORS: `["${OPERATOR}"]`,
    });
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(async () => {
    project = await person.project();
  });

  const found = async (query: string) => (await person.search(project, query)).results.map(({ document }) => document);
  const indexed = (query: string, document: string) =>
    until(`${document} is in the index`, async () => {
      const { source, results, degraded } = await person.search(project, query);
      return source === 'hybrid' && !degraded && results.some((one) => one.document === document);
    });
  const index = () =>
    person.get<{ documents: number; queued: number; index: string }>(`/v1/api/projects/${project}/index`);

  it('of chroma is rebuilt from the files, and search uses the full text meanwhile', async () => {
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September.');
    await indexed('pears', 'pears.md');
    await caudex.kill('chroma');
    rmSync(join(caudex.dataDir, 'chroma'), { recursive: true });
    await caudex.launch('chroma');
    await until('Chroma is asked again', async () => (await caudex.breaker('chroma')).state === 'closed');
    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(await person.search(project, `pears ripen ${i}`));
    for (const { results, outcome, source, degraded } of answers) {
      expect({ outcome, documents: results.map(({ document }) => document) }).toEqual({
        outcome: 'found',
        documents: ['pears.md'],
      });
      expect(degraded || source === 'hybrid').toBe(true);
    }
    await indexed('when do pears ripen', 'pears.md');
    expect(await index()).toMatchObject({ documents: 1, queued: 0, index: 'ready' });
  }, 40_000);

  interface History {
    versions: { version: string; path: string; author: string; message: string }[];
  }
  const history = () => person.get<History>(`/v1/api/projects/${project}/history`);
  const version = (path: string) =>
    person
      .get<{ documents: { path: string; version: string }[] }>(`/v1/api/projects/${project}/documents`)
      .then(({ documents }) => documents.find((document) => document.path === path)?.version as string);
  const recorded = (count: number) =>
    until(`${count} changes are in the history`, async () => (await history()).versions.length === count);

  it('of git gets a commit of the current documents, and continues from there', async () => {
    await person.upload(project, 'pears.md', 'Pears are green.');
    await person.upload(project, 'plums.md', 'Plums are blue.');
    await recorded(2);
    await caudex.kill('git');
    rmSync(join(caudex.dataDir, 'git'), { recursive: true });
    await caudex.launch('git');
    await until('Git is asked again', async () => (await caudex.breaker('git')).state === 'closed');
    await recorded(2);
    const { versions } = await history();
    expect(versions.map(({ path, author, message }) => ({ path, author, message })).sort(by('path'))).toEqual([
      { path: 'pears.md', author: 'Caudex', message: 'Restore pears.md' },
      { path: 'plums.md', author: 'Caudex', message: 'Restore plums.md' },
    ]);
    expect(versions.find(({ path }) => path === 'pears.md')?.version).toBe(await version('pears.md'));
    await person.upload(project, 'pears.md', 'Pears are yellow.', 200);
    await recorded(3);
    const [newest, before] = (await history()).versions.filter(({ path }) => path === 'pears.md');
    const diff = await person.get<{ diff: string }>(
      `/v1/api/projects/${project}/diff?path=pears.md&from=${before?.version}&to=${newest?.version}`,
    );
    expect(diff.diff).toContain('-Pears are green.\n');
    expect(diff.diff).toContain('+Pears are yellow.\n');
  }, 60_000);

  it('of git from an earlier day gets the later changes and deletions', async () => {
    const git = join(caudex.dataDir, 'git');
    await person.upload(project, 'kept.md', 'Kept as it is.');
    await person.upload(project, 'changed.md', 'The first text.');
    await person.upload(project, 'deleted.md', 'Soon gone.');
    await recorded(3);
    await caudex.kill('git', 'SIGTERM');
    cpSync(git, `${git}-backup`, { recursive: true });
    await caudex.launch('git');
    await until('it is back', async () => (await caudex.breaker('git')).state === 'closed');
    await person.upload(project, 'changed.md', 'The second text.', 200);
    await person.delete(`/v1/api/projects/${project}/documents/deleted.md`);
    await recorded(5);
    await caudex.kill('git', 'SIGTERM');
    rmSync(git, { recursive: true });
    renameSync(`${git}-backup`, git);
    await caudex.launch('git');
    await until('it is asked again', async () => (await caudex.breaker('git')).state === 'closed');
    await recorded(5);
    const messages = (await history()).versions.map(({ message }) => message);
    expect(messages.slice(0, 2).sort()).toEqual(['Delete deleted.md', 'Restore changed.md']);
    const [newest] = (await history()).versions.filter(({ path }) => path === 'changed.md');
    expect(newest?.version).toBe(await version('changed.md'));
  }, 60_000);

  it('of filesystem from an earlier day determines the content of the index', async () => {
    await person.upload(project, 'old.md', 'The walrus sleeps on ice.');
    await indexed('walrus', 'old.md');
    const files = join(caudex.dataDir, 'filesystem');
    await caudex.kill('filesystem', 'SIGTERM');
    cpSync(files, `${files}-backup`, { recursive: true });
    await caudex.launch('filesystem');
    await until('it is back', async () => (await caudex.breaker('filesystem')).state === 'closed');
    await until('a document is stored', async () => {
      const answer = await person.request('PUT', `/v1/api/projects/${project}/documents/new.md`, 'The gecko climbs.', {
        'content-type': 'text/markdown',
      });
      return answer.ok;
    });
    await person.delete(`/v1/api/projects/${project}/documents/old.md`);
    await indexed('gecko', 'new.md');
    await caudex.kill('filesystem', 'SIGTERM');
    rmSync(files, { recursive: true });
    renameSync(`${files}-backup`, files);
    await caudex.launch('filesystem');
    await indexed('walrus', 'old.md');
    await until('the lost text is not found any more', async () => (await found('gecko')).length === 0);
  }, 60_000);

  it('can be rebuilt by the owner of the project and by an operator, and by no other user', async () => {
    await person.upload(project, 'a.md', 'Apples are red.');
    await person.upload(project, 'b.md', 'Bananas are yellow.');
    await indexed('apples', 'a.md');
    const path = `/v1/api/projects/${project}/reindex`;
    const rebuilt = { project_id: project, documents: 2, index: 'rebuilding' };
    expect(await person.post(path, {}, 202)).toEqual(rebuilt);
    expect(await found('apples')).toEqual(['a.md']);
    await indexed('apples are red', 'a.md');
    await until('it is ready', async () => (await index()).index === 'ready');
    const operator = await caudex.signUp(OPERATOR);
    expect(await operator.post(path, {}, 202)).toEqual(rebuilt);
    await operator.post('/v1/api/projects/never-made/reindex', {}, 404);
    await (await caudex.signUp()).post(path, {}, 404);
    await indexed('bananas are yellow', 'b.md');
  }, 40_000);
});
