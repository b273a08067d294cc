import { Caudex, type Person, until } from './caudex.js';

describe('tags of documents', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(async () => {
    project = await person.project();
  });

  const at = (rest: string) => `/v1/api/projects/${project}/${rest}`;
  const tag = async (path: string, tags: unknown, status = 200) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await person.request('PUT', at('tags'), JSON.stringify({ path, tags }), headers);
    expect(answer.status).toBe(status);
    return (await answer.json()) as { tags: string[]; indexed: string; detail: string };
  };
  const found = async (query: string, source: string) => {
    const answer = await person.search(project, query);
    return answer.source === source ? answer.results.map(({ document }) => document) : undefined;
  };

  it('are set by hand, listed, and found by the index and by the full text', async () => {
    await person.upload(project, 'a.md', 'The ferry is green.');
    await person.upload(project, 'b.md', 'The ferry is red.');
    expect(await tag('a.md', ['#Harbour'])).toEqual({ path: 'a.md', tags: ['harbour'], indexed: 'done' });
    await until('both are indexed', async () => (await found('ferry', 'hybrid'))?.length === 2);
    expect(await found('ferry tag:harbour', 'hybrid')).toEqual(['a.md']);
    const { documents } = await person.get<{ documents: { path: string; tags?: string[] }[] }>(at('documents'));
    expect(documents.map(({ tags }) => tags)).toEqual([['harbour'], undefined]);
    // A new version keeps them, and so does a move.
    await person.upload(project, 'a.md', 'The ferry is blue.', 200);
    await person.post(at('move'), { from: 'a.md', to: 'c.md' }, 200);
    await until('it is found', async () => (await found('ferry tag:harbour', 'hybrid'))?.join() === 'c.md');
    await caudex.kill('chroma');
    await until('the full text answers', async () => (await found('ferry tag:harbour', 'fulltext'))?.join() === 'c.md');
    expect((await tag('b.md', ['harbour'])).indexed).toBe('queued');
    await caudex.launch('chroma');
    await until('the index catches up', async () => (await found('ferry tag:harbour', 'hybrid'))?.length === 2, 30_000);
  }, 90_000);

  it('are refused with the reason where they are no tags or the document is not there', async () => {
    await person.upload(project, 'a.md', 'text');
    expect((await tag('a.md', [''], 400)).detail).toContain('tags');
    expect((await tag('missing.md', ['x'], 404)).detail).toContain('missing.md');
    const other = await caudex.signUp();
    const body = JSON.stringify({ path: 'a.md', tags: ['x'] });
    const answer = await other.request('PUT', at('tags'), body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(404);
  });
});
