import { Caudex, type Person, until } from './caudex.js';

interface Moved {
  moved: { from: string; to: string; version: string }[];
}
interface History {
  versions: { version: string; path: string; message: string; moved_from?: string }[];
  total: number;
}

describe('moving and copying documents', () => {
  let caudex: Caudex;
  let person: Person;
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());

  const at = (project: string, rest: string) => `/v1/api/projects/${project}/${rest}`;
  const move = (project: string, from: string, to: string, status = 200) =>
    person.post<Moved & { code: string; detail: string }>(at(project, 'move'), { from, to }, status);
  const copy = (project: string, from: string, to: string, status = 200) =>
    person.post<Moved & { code: string; detail: string }>(at(project, 'copy'), { from, to }, status);
  const history = (project: string, path: string) => person.get<History>(at(project, `history?path=${path}`));
  const paths = async (project: string) => {
    const { documents } = await person.get<{ documents: { path: string }[] }>(at(project, 'documents'));
    return documents.map(({ path }) => path);
  };
  const text = async (project: string, path: string, query = '') =>
    (await person.request('GET', at(project, `documents/${path}${query}`))).text();
  const found = async (project: string, query: string) =>
    (await person.search(project, query)).results.map(({ document }) => document);

  it('gives a document another path in files, search and history, which goes on', async () => {
    const project = await person.project();
    await person.upload(project, 'notes/boat.md', '# Boat\n\nThe ferry is green.\n');
    await person.upload(project, 'notes/boat.md', '# Boat\n\nThe ferry is red.\n', 200);
    const { moved } = await move(project, 'notes/boat.md', 'archive/2026/ship.md');
    expect(moved).toEqual([{ from: 'notes/boat.md', to: 'archive/2026/ship.md', version: expect.any(String) }]);
    expect(await paths(project)).toEqual(['archive/2026/ship.md']);
    expect(await text(project, 'archive/2026/ship.md')).toContain('red');
    await person.get(at(project, 'documents/notes/boat.md'), 404);
    expect(await found(project, 'ferry')).toEqual(['archive/2026/ship.md']);
    // A word of the path finds it, too.
    await until('the new name is indexed', async () => (await found(project, 'ship'))[0] === 'archive/2026/ship.md');

    const { versions, total } = await history(project, 'archive/2026/ship.md');
    expect(total).toBe(3);
    expect(versions.map(({ path, message }) => [path, message])).toEqual([
      ['archive/2026/ship.md', 'Move notes/boat.md to archive/2026/ship.md'],
      ['notes/boat.md', 'Save notes/boat.md'],
      ['notes/boat.md', 'Save notes/boat.md'],
    ]);
    expect(versions[0]).toMatchObject({ version: moved[0]?.version, moved_from: 'notes/boat.md' });
    const [now, second, first] = versions.map(({ version }) => version) as [string, string, string];
    expect(await text(project, 'archive/2026/ship.md', `?version=${first}`)).toContain('green');
    const diff = (from: string, to: string) =>
      person.get<{ diff: string }>(at(project, `diff?path=archive/2026/ship.md&from=${from}&to=${to}`));
    expect((await diff(first, now)).diff).toContain('-The ferry is green.\n+The ferry is red.');
    expect((await diff(second, now)).diff).toBe('');
    const { lines } = await person.get<{ lines: { version: string }[] }>(
      at(project, 'blame?path=archive/2026/ship.md'),
    );
    expect(lines.map(({ version }) => version)).toEqual([first, first, second]);

    await person.post(at(project, 'restore'), { path: 'archive/2026/ship.md', version: first });
    expect(await text(project, 'archive/2026/ship.md')).toContain('green');
    expect((await history(project, 'notes/boat.md')).versions[0]).toMatchObject({ version: now });

    // A document at the old path is another one.
    await person.upload(project, 'notes/boat.md', '# Canoe\n\nA canoe is narrow.\n', 201);
    expect((await history(project, 'archive/2026/ship.md')).total).toBe(4);
    expect(await found(project, 'canoe')).toEqual(['notes/boat.md']);
  }, 30_000);

  it('moves a folder with all its documents in one commit, and only with these', async () => {
    const project = await person.project();
    for (const path of ['a/1.md', 'a/b/2.md', 'a/b/c/3.md', 'ab.md']) await person.upload(project, path, `In ${path}.`);
    const { moved } = await move(project, 'a/', 'x/y/');
    expect(moved.map(({ from, to }) => [from, to])).toEqual([
      ['a/1.md', 'x/y/1.md'],
      ['a/b/2.md', 'x/y/b/2.md'],
      ['a/b/c/3.md', 'x/y/b/c/3.md'],
    ]);
    expect(new Set(moved.map(({ version }) => version)).size).toBe(1);
    expect(await paths(project)).toEqual(['ab.md', 'x/y/1.md', 'x/y/b/2.md', 'x/y/b/c/3.md']);
    expect((await history(project, 'x/y/b/2.md')).versions.map(({ path }) => path)).toEqual(['x/y/b/2.md', 'a/b/2.md']);
    // A document may take the path that another one of the move leaves.
    await person.upload(project, 'x/y/y/1.md', 'The inner one.');
    await move(project, 'x/y/y/', 'x/q/');
    await move(project, 'x/y/b/', 'x/y/b2/');
    await move(project, 'x/', 'z/');
    expect(await paths(project)).toEqual(['ab.md', 'z/q/1.md', 'z/y/1.md', 'z/y/b2/2.md', 'z/y/b2/c/3.md']);
    expect((await history(project, 'z/y/b2/2.md')).total).toBe(4);
    expect(await text(project, 'z/y/b2/2.md')).toBe('In a/b/2.md.');
  }, 30_000);

  it('copies a document and a folder; the copies are documents of their own', async () => {
    const project = await person.project();
    await person.upload(project, 'a/1.md', 'The first lighthouse stands on a rock.');
    await person.upload(project, 'a/2.md', 'Another lighthouse was built in the harbour.');
    expect((await copy(project, 'a/', 'b/')).moved).toHaveLength(2);
    expect(await paths(project)).toEqual(['a/1.md', 'a/2.md', 'b/1.md', 'b/2.md']);
    expect((await history(project, 'b/1.md')).versions.map(({ message }) => message)).toEqual(['Copy a/ to b/']);
    await person.upload(project, 'a/1.md', 'Changed.', 200);
    await person.delete(at(project, 'documents/a/2.md'));
    expect(await text(project, 'b/1.md')).toBe('The first lighthouse stands on a rock.');
    expect(await text(project, 'b/2.md')).toBe('Another lighthouse was built in the harbour.');
    expect((await found(project, 'lighthouse')).sort()).toEqual(['b/1.md', 'b/2.md']);
  }, 30_000);

  it('keeps the original and its warnings', async () => {
    const project = await person.project();
    const page = '<html><body><p>Grapes</p><script>1</script></body></html>';
    await person.request('PUT', at(project, 'documents/page.html'), page, { 'content-type': 'text/html' });
    const original = async (path: string) =>
      (await person.request('GET', at(project, `documents/${path}?original=true`))).text();
    const before = await original('page.html');
    await move(project, 'page.html', 'pages/grapes.html');
    await copy(project, 'pages/grapes.html', 'pages/more.html');
    expect(await original('pages/grapes.html')).toBe(before);
    await person.delete(at(project, 'documents/pages/grapes.html'));
    expect(await original('pages/more.html')).toBe(before);
  });

  it('refuses what can not be done, names it, and changes nothing', async () => {
    const project = await person.project();
    for (const path of ['a/1.md', 'a/2.md', 'b/2.md']) await person.upload(project, path, `In ${path}.`);
    const before = await paths(project);
    expect(await move(project, 'a/', 'b/', 409)).toMatchObject({
      code: 'path_taken',
      detail: expect.stringContaining('"b/2.md"'),
    });
    expect(await move(project, 'a/1.md', 'b/2.md', 409)).toMatchObject({ code: 'path_taken' });
    expect(await copy(project, 'a/1.md', 'a/2.md', 409)).toMatchObject({ code: 'path_taken' });
    expect(await move(project, 'a/', 'a/b/', 422)).toMatchObject({ code: 'move_into_itself' });
    expect(await copy(project, 'a/', 'a/b/', 422)).toMatchObject({ code: 'move_into_itself' });
    expect(await move(project, 'a/1.md', 'a/1.md', 422)).toMatchObject({ code: 'move_into_itself' });
    expect(await move(project, 'c/', 'd/', 404)).toMatchObject({ detail: expect.stringContaining('"c/"') });
    expect(await move(project, 'c.md', 'd.md', 404)).toMatchObject({ detail: expect.stringContaining('"c.md"') });
    for (const to of ['../x.md', '/x.md', 'x\\y.md', 'x//y.md', 'x\0.md', 'b/', ' ', `${'x'.repeat(256)}`]) {
      expect(await move(project, 'a/1.md', to, 400)).toMatchObject({ code: 'invalid_path' });
    }
    expect(await move(project, 'a/', `${'x'.repeat(252)}/`, 400)).toMatchObject({ code: 'invalid_path' });
    const other = await caudex.signUp();
    await other.post(at(project, 'move'), { from: 'a/1.md', to: 'c.md' }, 404);
    expect(await paths(project)).toEqual(before);
    expect((await person.get<History>(at(project, 'history'))).total).toBe(3);
  }, 30_000);

  it('updates the links of other documents where this is requested', async () => {
    const project = await person.project();
    await person.upload(project, 'index.md', 'See [the boat](notes/boat.md), [[boat]] and [the plan](plan.md).');
    await person.upload(project, 'notes/boat.md', 'Back to [the index](../index.md).');
    await person.upload(project, 'plan.md', 'No link to notes/boat.md here.');
    const body = { from: 'notes/', to: 'deep/er/', update_links: true };
    const answer = await person.post<Moved & { links_updated: string[] }>(at(project, 'move'), body);
    expect(answer.links_updated).toEqual(['deep/er/boat.md', 'index.md']);
    expect(await text(project, 'index.md')).toBe('See [the boat](deep/er/boat.md), [[boat]] and [the plan](plan.md).');
    expect(await text(project, 'deep/er/boat.md')).toBe('Back to [the index](../../index.md).');
    const { versions } = await history(project, 'deep/er/boat.md');
    expect(versions.map(({ message }) => message)).toEqual([
      'Update links in deep/er/boat.md',
      'Move notes/ to deep/er/',
      'Save notes/boat.md',
    ]);
    expect(answer.moved).toEqual([{ from: 'notes/boat.md', to: 'deep/er/boat.md', version: versions[0]?.version }]);
    const { related } = await person.get<{ related: { path: string }[] }>(at(project, 'related?path=index.md'));
    expect(related.map(({ path }) => path)).toContain('deep/er/boat.md');
    expect(await move(project, 'plan.md', 'plans/plan.md')).toMatchObject({ links_updated: [] });
    expect(await text(project, 'index.md')).toContain('[the plan](plan.md)');
  }, 30_000);

  it('is made once with an Idempotency-Key', async () => {
    const project = await person.project();
    await person.upload(project, 'a.md', 'One.');
    const body = JSON.stringify({ from: 'a.md', to: 'b.md' });
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'move-1' };
    const answers = [];
    for (let n = 0; n < 2; n++)
      answers.push(await (await person.request('POST', at(project, 'move'), body, headers)).json());
    expect(answers[1]).toEqual(answers[0]);
    expect(await paths(project)).toEqual(['b.md']);
  });

  it('reaches index and history after an outage of both, in the order of the changes', async () => {
    const project = await person.project();
    await Promise.all([caudex.kill('git'), caudex.kill('chroma')]);
    await person.upload(project, 'a.md', 'The walrus, first.');
    await person.upload(project, 'a.md', 'The walrus, second.', 200);
    await move(project, 'a.md', 'b.md');
    await person.upload(project, 'b.md', 'The walrus, third.', 200);
    await person.upload(project, 'a.md', 'A seal.', 201);
    await Promise.all([caudex.launch('git'), caudex.launch('chroma')]);
    const messages = ['Save b.md', 'Move a.md to b.md', 'Save a.md', 'Save a.md'];
    await until('the history has it', async () => (await person.get<History>(at(project, 'history'))).total === 6);
    expect((await history(project, 'b.md')).versions.map(({ message }) => message)).toEqual(messages);
    expect(await text(project, 'a.md')).toBe('A seal.');
    await until('the index has it', async () => {
      const { documents, queued } = await person.get<{ documents: number; queued: number }>(at(project, 'index'));
      return documents === 2 && queued === 0;
    });
    expect(await found(project, 'walrus')).toEqual(['b.md']);
  }, 60_000);
});
