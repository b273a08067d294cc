import { GitServerModule } from '../src/downstream/git/server/git-server.module.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

const ADA = { name: 'Ada', email: 'ada@example.org' };
const PROJECT = 'p';

interface Listed {
  position: number;
  version: string;
  path: string;
  text: string | null;
}

describe('a git server that takes the history of another one', () => {
  let source: ServerUnderTest;
  let target: ServerUnderTest;
  let count = 0;

  const post = async (server: ServerUnderTest, path: string, body: unknown) => {
    const answer = await server.call('POST', `/projects/${PROJECT}${path}`, { user: 'ada', body });
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const get = async <T>(server: ServerUnderTest, path: string) =>
    (await server.call('GET', `/projects/${PROJECT}${path}`, { user: 'ada' })).body as T;
  const said = (message: string) => ({
    ...{ author: ADA, message },
    committed_at: new Date(Date.UTC(2026, 0, 1) + ++count * 1000).toISOString(),
  });
  const commit = (server: ServerUnderTest, path: string, version: string, text: string | null, message = 'Save') =>
    post(server, '/commits', { path, version, text, ...said(message) });
  const history = (server: ServerUnderTest, query = '') =>
    get<{ versions: object[] }>(server, `/history?limit=100${query}`);
  const whole = async (server: ServerUnderTest, after = 0) =>
    (await get<{ versions: Listed[] }>(server, `/versions/whole?after=${after}`)).versions;
  const fill = (versions: readonly Listed[], done: boolean, source = 'one') =>
    post(target, '/fill', { source, versions, done });
  const inventory = async (server: ServerUnderTest) => (await server.call('GET', '/inventory/versions', {})).body;

  beforeEach(async () => {
    source = await startForTest('git', GitServerModule);
    target = await startForTest('git', GitServerModule);
  }, 60_000);
  afterEach(() => Promise.all([source.close(), target.close()]));

  /** A document that is changed, moved and changed again, and one that is deleted. */
  async function write(server: ServerUnderTest): Promise<void> {
    await commit(server, 'a.md', 'a1', 'one\n');
    await commit(server, 'b.md', 'b1', 'See [[a]].\n');
    await commit(server, 'a.md', 'a2', 'one\ntwo\n');
    const documents = [{ from: 'a.md', to: 'c.md' }];
    await post(server, '/moves', { version: 'm', copy: false, documents, ...said('Move') });
    await commit(server, 'c.md', 'c1', 'one\ntwo\nthree\n');
    await commit(server, 'b.md', 'b2', null, 'Delete');
  }
  /** What the two servers answer of the project. */
  async function areEqual(): Promise<void> {
    for (const query of ['', '&path=c.md', '&path=a.md', '&path=b.md']) {
      expect(await history(target, query)).toEqual(await history(source, query));
    }
    for (const path of ['/heads', '/blame?path=c.md', '/text?path=a.md&version=a1', '/related?path=c.md']) {
      expect(await get(target, path)).toEqual(await get(source, path));
    }
    expect((await whole(target)).map(({ version, path, text }) => ({ version, path, text }))).toEqual(
      (await whole(source)).map(({ version, path, text }) => ({ version, path, text })),
    );
    expect(await inventory(target)).toEqual(await inventory(source));
  }

  it('has the same versions, in the same order, and goes on from there', async () => {
    await write(source);
    const versions = await whole(source);
    expect(await fill(versions, true)).toEqual({ after: 0 });
    await areEqual();
    for (const server of [source, target])
      await post(server, '/commits', {
        path: 'c.md',
        version: 'c2',
        text: 'four\n',
        author: ADA,
        message: 'Save',
        committed_at: '2026-02-01T00:00:00.000Z',
      });
    await areEqual();
    const { changes } = await get<{ changes: { diff: string }[] }>(target, '/changes?path=c.md&limit=1');
    expect(changes[0]?.diff).toContain('-three\n+four');
  }, 60_000);

  it('goes on after a part, ignores what it has taken, and shows nothing before the end', async () => {
    await write(source);
    const versions = await whole(source);
    const half = versions.slice(0, 3);
    expect(await fill(half, false)).toEqual({ after: half.at(-1)?.position });
    expect(await history(target)).toMatchObject({ versions: [] });
    expect(await fill([], false)).toEqual({ after: half.at(-1)?.position });
    await fill(versions, false);
    await fill([], true);
    await areEqual();
    expect(await fill([], true)).toEqual({ after: 0 });
    await areEqual();
  }, 60_000);

  it('begins again with another source', async () => {
    await write(source);
    const versions = await whole(source);
    await fill(versions.slice(4), false);
    expect(await fill([], false, 'other')).toEqual({ after: 0 });
    await fill(versions, true, 'other');
    await areEqual();
  }, 60_000);

  it('puts versions that it lacks before its newer ones, and keeps those that only it has', async () => {
    await write(source);
    await commit(target, 'c.md', 'c1', 'one\ntwo\nthree\n');
    await commit(target, 'd.md', 'd1', 'only here\n');
    await fill(await whole(source), true);
    const order = (await whole(target)).map(({ version, path }) => `${version} ${path}`);
    expect(order).toEqual([...['a1 a.md', 'b1 b.md', 'a2 a.md', 'm c.md', 'm a.md', 'c1 c.md', 'b2 b.md'], 'd1 d.md']);
    expect(await get(target, '/text?path=d.md&version=d1')).toMatchObject({ text: 'only here\n' });
    expect(await get(target, '/heads')).toMatchObject({
      documents: [
        { path: 'c.md', version: 'c1' },
        { path: 'd.md', version: 'd1' },
      ],
    });
    expect(await get(target, '/blame?path=c.md')).toMatchObject({
      lines: [{ version: 'a1' }, { version: 'a2' }, { version: 'c1' }],
    });
  }, 60_000);

  it('gives versions with their texts in parts of a bounded size', async () => {
    const text = 'x'.repeat(3 * 1024 * 1024);
    for (const version of ['1', '2', '3']) await commit(source, `${version}.md`, version, text);
    const first = await whole(source);
    expect(first.map(({ version }) => version)).toEqual(['1']);
    const second = await whole(source, first.at(-1)?.position);
    expect(second.map(({ version }) => version)).toEqual(['2']);
    expect(await whole(source, 10_000)).toEqual([]);
  }, 60_000);

  it('takes nothing into a project that was deleted', async () => {
    await write(source);
    await target.call('DELETE', `/projects/${PROJECT}`, { user: 'ada' });
    const body = { source: 'one', versions: await whole(source), done: true };
    expect(await target.call('POST', `/projects/${PROJECT}/fill`, { user: 'ada', body })).toMatchObject({
      status: 410,
    });
  }, 60_000);
});
