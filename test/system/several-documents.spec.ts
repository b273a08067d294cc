import { Caudex, type Person, until } from './caudex.js';

interface Answer {
  documents: {
    path?: string;
    from?: string;
    to?: string;
    version?: string;
    error?: { code: string; detail: string };
  }[];
  done: number;
  failed: number;
}
interface History {
  versions: { version: string; path: string; message: string; moved_from?: string }[];
}

describe('changing several documents in one call', () => {
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
  const post = (rest: string, body: object, status = 200) =>
    person.post<Answer & { code: string; detail: string; removed: number }>(at(rest), body, status);
  const paths = async (list = 'documents') => {
    const { documents } = await person.get<{ documents: { path: string }[] }>(at(`${list}?limit=1000`));
    return documents.map(({ path }) => path).sort();
  };
  const found = async (query: string) => (await person.search(project, query)).results.map(({ document }) => document);
  const messages = async (path: string) => {
    const { versions } = await person.get<History>(at(`history?path=${path}`));
    return versions.map(({ message }) => message);
  };
  const queued = async () => (await person.get<{ queued: number }>(at('index'))).queued;
  const settled = () => until('the index is in step', async () => (await queued()) === 0);

  it('deletes into the trash and restores, with the result of each, and index and history follow', async () => {
    for (const path of ['a.md', 'b.md', 'c.md']) await person.upload(project, path, `The wombat of ${path}.`);
    const deleted = await post('documents/delete', { paths: ['a.md', 'none.md', 'bad//path', 'b.md'], trash: true });
    expect(deleted).toMatchObject({ done: 2, failed: 2 });
    expect(deleted.documents).toEqual([
      { path: 'a.md' },
      { path: 'none.md', error: { code: 'not_found', detail: expect.stringContaining('"none.md"') } },
      { path: 'bad//path', error: { code: 'invalid_path', detail: expect.stringContaining('//') } },
      { path: 'b.md' },
    ]);
    expect(await paths()).toEqual(['c.md']);
    expect(await paths('trash')).toEqual(['a.md', 'b.md']);
    await settled();
    expect(await found('wombat')).toEqual(['c.md']);

    await person.upload(project, 'b.md', 'Another one.');
    const restored = await post('documents/restore', { documents: [{ path: 'b.md' }, { path: 'a.md' }] });
    expect(restored).toMatchObject({ done: 1, failed: 1 });
    expect(restored.documents).toMatchObject([
      { path: 'b.md', error: { code: 'path_taken' } },
      { path: 'a.md', version: expect.any(String) },
    ]);
    await until('it is found again', async () => (await found('wombat')).includes('a.md'));
    await until('the history has all', async () => (await messages('a.md')).length === 3);
    expect(await messages('a.md')).toEqual(['Restore a.md', 'Delete a.md', 'Save a.md']);
    expect(await messages('b.md')).toEqual(['Save b.md', 'Delete b.md', 'Save b.md']);

    expect(await post('trash/delete', { documents: [{ path: 'b.md' }, { path: 'none.md' }] })).toEqual({ removed: 1 });
    expect(await paths('trash')).toEqual([]);
  }, 30_000);

  it('deletes for good without the trash', async () => {
    await person.upload(project, 'a.md', 'text');
    expect(await post('documents/delete', { paths: ['a.md'] })).toMatchObject({ done: 1, failed: 0 });
    expect([await paths(), await paths('trash')]).toEqual([[], []]);
  });

  it('moves several into a folder in one commit; one that is taken or missing does not stop the others', async () => {
    for (const path of ['a.md', 'x/b.md', 'y/b.md', 'old/c.md']) {
      await person.upload(project, path, `The numbat of ${path}. See [c](old/c.md).`);
    }
    await person.upload(project, 'new/a.md', 'Taken.');
    await settled();
    const moves = [
      { from: 'x/b.md', to: 'new/b.md' },
      { from: 'a.md', to: 'new/a.md' },
      { from: 'y/b.md', to: 'new/b.md' },
      { from: 'none.md', to: 'new/none.md' },
      { from: 'old/c.md', to: 'new/c.md' },
      { from: 'old/', to: 'new/' },
      { from: 'y/b.md', to: '/root.md' },
    ];
    const moved = await post('documents/move', { moves });
    expect(moved).toMatchObject({ done: 2, failed: 5 });
    expect(moved.documents.map(({ error, version }) => error?.code ?? typeof version)).toEqual([
      ...['string', 'path_taken', 'path_taken', 'not_found', 'string', 'invalid_path', 'invalid_path'],
    ]);
    expect(moved.documents.map(({ from, to }) => ({ from, to }))).toEqual(moves);
    expect(await paths()).toEqual(['a.md', 'new/a.md', 'new/b.md', 'new/c.md', 'y/b.md']);
    await settled();
    expect((await found('numbat')).sort()).toEqual(['a.md', 'new/b.md', 'new/c.md', 'y/b.md']);
    const { versions } = await person.get<History>(at('history?path=new/b.md'));
    expect(versions).toMatchObject([
      { message: 'Move 7 documents', moved_from: 'x/b.md', version: moved.documents[0]?.version },
      { message: 'Save x/b.md' },
    ]);
    expect(await messages('new/a.md')).toEqual(['Save new/a.md']);
  }, 30_000);

  it('swaps places along a chain, and updates links', async () => {
    await person.upload(project, 'a.md', 'Alpha.');
    await person.upload(project, 'b.md', 'Beta, see [a](a.md).');
    const moves = [
      { from: 'b.md', to: 'c.md' },
      { from: 'a.md', to: 'b.md' },
    ];
    const moved = await post('documents/move', { moves, update_links: true });
    expect(moved).toMatchObject({ done: 2, failed: 0, links_updated: ['c.md'] });
    expect(await (await person.request('GET', at('documents/c.md'))).text()).toContain('[a](b.md)');
    await settled();
    expect(await found('alpha')).toEqual(['b.md']);
    expect(await found('beta')).toEqual(['c.md']);
  });

  it('sets tags', async () => {
    await person.upload(project, 'a.md', 'The quoll sleeps.');
    await person.upload(project, 'b.md', 'A quoll eats figs.');
    const body = { documents: ['a.md', 'none.md', 'b.md'].map((path) => ({ path, tags: ['#Tax', path] })) };
    const tagged = await post('documents/tags', body);
    expect(tagged.documents).toMatchObject([
      { path: 'a.md', tags: ['tax', 'a.md'] },
      { path: 'none.md', error: { code: 'not_found' } },
      { path: 'b.md', tags: ['tax', 'b.md'] },
    ]);
    await settled();
    expect((await found('quoll tag:tax')).sort()).toEqual(['a.md', 'b.md']);
  });

  it('answers a repeated key as the first time, and does nothing twice', async () => {
    for (const path of ['a.md', 'b.md']) await person.upload(project, path, 'text');
    const send = async (rest: string, body: object, key: string) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': `${project}-${key}` };
      const answer = await person.request('POST', at(rest), JSON.stringify(body), headers);
      return [answer.status, await answer.json()];
    };
    const moves = { moves: [{ from: 'a.md', to: 'x/a.md' }] };
    const first = await send('documents/move', moves, 'move');
    await post('documents/move', { moves: [{ from: 'x/a.md', to: 'y/a.md' }] });
    expect(await send('documents/move', moves, 'move')).toEqual(first);
    const deletion = { paths: ['b.md'], trash: true };
    const deleted = await send('documents/delete', deletion, 'delete');
    await post('documents/restore', { documents: [{ path: 'b.md' }] });
    expect(await send('documents/delete', deletion, 'delete')).toEqual(deleted);
    expect(await paths()).toEqual(['b.md', 'y/a.md']);
  });

  it('says what is wrong with a request, and belongs to its owner alone', async () => {
    await person.upload(project, 'a.md', 'text');
    const many = Array.from({ length: 201 }, (_, i) => `${i}.md`);
    const details = [
      await post('documents/delete', { paths: many }, 400),
      await post('documents/delete', { paths: [] }, 400),
      await post('documents/delete', { paths: ['a.md', 'a.md'] }, 400),
      await post('documents/move', { moves: [{ from: 'a.md' }] }, 400),
      await post('documents/tags', { documents: [{ path: 'a.md', tags: [''] }] }, 400),
    ].map(({ detail }) => detail);
    expect(details).toEqual([
      expect.stringContaining('paths: at most 200 documents are taken in one call'),
      expect.stringContaining('paths: name at least one document'),
      expect.stringContaining('a document is named twice'),
      expect.stringContaining('moves'),
      expect.stringContaining('it is empty; write it like tax or #tax'),
    ]);
    const other = await caudex.signUp();
    for (const [rest, body] of [
      ['documents/delete', { paths: ['a.md'] }],
      ['documents/move', { moves: [{ from: 'a.md', to: 'b.md' }] }],
      ['documents/tags', { documents: [{ path: 'a.md', tags: ['x'] }] }],
      ['documents/restore', { documents: [{ path: 'a.md' }] }],
      ['trash/delete', { documents: [{ path: 'a.md' }] }],
    ] as const) {
      await other.post(at(rest), body, 404);
    }
    expect(await paths()).toEqual(['a.md']);
  });

  it('moves, deletes and restores 200 documents', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `notes/${String(i).padStart(3, '0')}.md`);
    for (let i = 0; i < names.length; i += 20) {
      await Promise.all(names.slice(i, i + 20).map((path) => person.upload(project, path, `# ${path}\n\nA potoroo.`)));
    }
    await settled();
    const timed = async <T>(what: string, work: Promise<T>) => {
      const startMs = performance.now();
      const answer = await work;
      if (process.env['CAUDEX_TIMES'] !== undefined) console.log(what, Math.round(performance.now() - startMs), 'ms');
      return answer;
    };
    const to = (path: string) => path.replace('notes/', 'archive/');
    const moves = names.map((path) => ({ from: path, to: to(path) }));
    expect(await timed('move', post('documents/move', { moves }))).toMatchObject({ done: 200, failed: 0 });
    await timed('index after the move', settled());
    expect((await found('potoroo')).every((path) => path.startsWith('archive/'))).toBe(true);
    const moved = moves.map((one) => one.to);
    expect(await timed('delete', post('documents/delete', { paths: moved, trash: true }))).toMatchObject({ done: 200 });
    await timed('index after the deletion', settled());
    expect(await found('potoroo')).toEqual([]);
    const documents = moved.map((path) => ({ path }));
    expect(await timed('restore', post('documents/restore', { documents }))).toMatchObject({ done: 200 });
    await timed('index after the restoration', settled());
    expect(await found('potoroo')).not.toEqual([]);
    const path = moved[0] as string;
    await timed(
      'history',
      until('the history has all', async () => (await messages(path)).length === 4),
    );
    expect(await messages(path)).toEqual([
      ...[`Restore ${path}`, `Delete ${path}`, 'Move 200 documents to archive/', 'Save notes/000.md'],
    ]);
  }, 60_000);
});
