import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Caudex, type Person, until } from './caudex.js';

interface Progress {
  import_id: string;
  state: 'running' | 'waiting' | 'done' | 'failed';
  imported_commits: number;
  documents: number;
  skipped: number;
  skipped_documents: { path: string; reason: string }[];
  detail: string | null;
}

describe('the history of a project', () => {
  const root = mkdtempSync(join(tmpdir(), 'caudex-book-'));
  const source = join(root, 'book');
  let caudex: Caudex;
  let person: Person;

  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Grace', '-c', 'user.email=grace@example.org', ...args], { cwd: source })
      .toString()
      .trim();
  const save = (path: string, text: string) => {
    writeFileSync(join(source, path), text);
    run('add', '-A');
    run('commit', '-q', '-m', `Write ${path}`);
    return run('rev-parse', 'HEAD');
  };
  async function imported(project: string, body: object = { source }): Promise<Progress> {
    const path = `/v1/api/projects/${project}/import`;
    const { import_id } = await person.post<Progress>(path, body, 202);
    return until('the import ends', async () => {
      const progress = await person.get<Progress>(`${path}/${import_id}`);
      return (progress.state === 'done' || progress.state === 'failed') && progress;
    });
  }
  const history = (project: string, query = '') =>
    person.get<{ versions: { version: string; path: string; author: string; message: string }[]; total: number }>(
      `/v1/api/projects/${project}/history${query}`,
    );
  const text = async (project: string, path: string, query = '') =>
    (await person.request('GET', `/v1/api/projects/${project}/documents/${path}${query}`)).text();

  let first: string;
  let second: string;
  beforeAll(async () => {
    mkdirSync(source);
    run('init', '-q', '-b', 'main');
    first = save('chapter-1.md', '# Boats\n\nThe ferry is green.\n');
    second = save('chapter-2.md', '# Rivers\n\nThe river is wide.\n');
    caudex = await Caudex.start({ CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([root]) });
    person = await caudex.signUp();
  }, 60_000);
  it('answers a question about changes while git is unavailable and the change is uncommitted', async () => {
    const project = await person.project();
    await caudex.kill('git');
    await person.upload(project, 'plums.md', 'Plums are blue.');
    const { sources, response } = await person.chat(project, 'What did I change today?');
    expect(sources[0]?.document).toBe('plums.md');
    expect(response).toContain('saved plums.md on ');
    await caudex.launch('git');
    await until('it is committed', async () => (await history(project)).total === 1);
  }, 30_000);

  afterAll(async () => {
    await caudex.stop();
    rmSync(root, { recursive: true });
  });

  it('contains recently saved and deleted documents, and each deletion once', async () => {
    const project = await person.project('At once');
    for (let n = 1; n <= 5; n++) {
      await person.upload(project, 'a.md', `Text ${n}`, n === 1 ? 201 : 200);
      expect((await history(project, '?path=a.md')).total).toBe(n);
    }
    const path = `/v1/api/projects/${project}/documents/a.md`;
    await person.delete(path);
    await person.request('DELETE', path);
    expect((await history(project)).versions.map(({ message }) => message)).toHaveLength(6);
  });

  it('is imported with a repository, whose texts become documents and are committed once', async () => {
    const project = await person.project();
    expect(await imported(project)).toMatchObject({ state: 'done', imported_commits: 2, documents: 2, skipped: 0 });
    expect((await history(project)).versions.map(({ version, author }) => [version, author])).toEqual([
      [second, 'Grace'],
      [first, 'Grace'],
    ]);
    await until('the text is searchable', async () => (await person.search(project, 'ferry')).total === 1);
    expect(await text(project, 'chapter-1.md')).toBe('# Boats\n\nThe ferry is green.\n');
    const listed = await person.get<{ documents: { path: string; version: string }[] }>(
      `/v1/api/projects/${project}/documents`,
    );
    expect(listed.documents.map(({ path, version }) => [path, version])).toEqual([
      ['chapter-1.md', first],
      ['chapter-2.md', second],
    ]);

    expect(await imported(project)).toMatchObject({ imported_commits: 0, documents: 0 });
    await person.upload(project, 'chapter-2.md', '# Rivers\n\nThe river is narrow.\n', 200);
    const third = save('chapter-1.md', '# Boats\n\nThe ferry is red.\n');
    save('chapter-2.md', '# Rivers\n\nThe river is deep.\n');
    expect(await imported(project)).toMatchObject({
      ...{ imported_commits: 2, documents: 1, skipped: 1 },
      skipped_documents: [{ path: 'chapter-2.md', reason: expect.stringContaining('changed here') }],
    });
    expect(await text(project, 'chapter-1.md')).toContain('red');
    expect(await text(project, 'chapter-2.md')).toContain('narrow');
    expect(await text(project, 'chapter-1.md', `?version=${first}`)).toContain('green');
    await until('the own change is committed', async () => (await history(project)).total === 5);
    expect((await history(project, '?path=chapter-1.md')).versions[0]?.version).toBe(third);

    rmSync(join(source, 'chapter-1.md'));
    run('commit', '-q', '-a', '-m', 'Drop a chapter');
    expect(await imported(project)).toMatchObject({ imported_commits: 1, documents: 1 });
    expect((await person.request('GET', `/v1/api/projects/${project}/documents/chapter-1.md`)).status).toBe(404);
  }, 60_000);

  it('refuses a source that is not allowed, and hides an import from other users', async () => {
    const project = await person.project();
    const path = `/v1/api/projects/${project}/import`;
    expect(await person.post(path, { source: '/etc' }, 403)).toMatchObject({
      code: 'import_not_allowed',
      detail: expect.stringContaining('git.import_allowed'),
    });
    await person.post(path, { source: 'ext::sh -c id' }, 403);
    await person.post(path, { source: '' }, 400);
    expect(await person.post(path, { source, branch: '-x' }, 400)).toMatchObject({ code: 'invalid_branch' });
    const { import_id } = await person.post<Progress>(path, { source }, 202);
    const other = await caudex.signUp();
    await other.get(`/v1/api/projects/${await other.project()}/import/${import_id}`, 404);
    expect(await imported(project, { source, branch: 'nowhere' })).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('nowhere'),
    });
  });

  it('answers who changed what, with the commits as passages', async () => {
    const project = await person.project();
    await person.upload(project, 'chapters/chapter-3.md', '# Storms\n\nThe mast breaks.\n');
    await person.upload(project, 'chapters/chapter-4.md', '# Calm\n\nNothing moves.\n');
    await person.upload(project, 'chapters/chapter-3.md', '# Storms\n\nThe mast holds.\n', 200);
    await until('the commits are there', async () => (await history(project)).total === 3);
    const answer = await person.chat(project, 'What did I change in chapter 3 last week?');
    expect(answer).toMatchObject({ outcome: 'found', degradation: [] });
    expect(answer.sources.slice(0, 2)).toMatchObject([
      {
        document: 'chapters/chapter-3.md',
        title: expect.stringMatching(/^Commit [0-9a-f]{7} by .+ on \d{4}-\d\d-\d\d$/),
      },
      { document: 'chapters/chapter-3.md' },
    ]);
    expect(answer.sources[0]?.text).toContain('-The mast breaks.\n+The mast holds.');
    expect(answer.sources.filter(({ title }) => title.startsWith('Commit'))).toHaveLength(2);
    expect(answer.response).toContain('The mast holds.');

    const byContent = await person.chat(project, 'Who changed the part about storms?');
    expect(byContent.sources[0]).toMatchObject({
      document: 'chapters/chapter-3.md',
      title: expect.stringContaining('Commit'),
    });
    const before = await person.chat(project, 'What was changed before 2020-01-01?');
    expect(before.sources.filter(({ title }) => title.startsWith('Commit'))).toEqual([]);
    const plain = await person.chat(project, 'Does the mast hold?');
    expect(plain.sources.filter(({ title }) => title.startsWith('Commit'))).toEqual([]);

    await caudex.kill('git');
    const without = await person.chat(project, 'Who changed the part about storms?');
    expect(without).toMatchObject({ status: 200, outcome: 'found' });
    expect(without.degradation).toEqual([{ service: 'git', reason: 'unreachable', fallback: 'none' }]);
    expect(without.sources[0]).toMatchObject({ document: 'chapters/chapter-3.md', title: 'Storms' });
  }, 60_000);
});
