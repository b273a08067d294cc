import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { drawing } from '../pictures.js';
import { Caudex, type Person, until } from '../system/caudex.js';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const KILLS = Number(process.env['CAUDEX_KILLS'] ?? 6);

describe('caudex sync', () => {
  let caudex: Caudex;
  let person: Person;
  let key: string;
  let dir: string;
  const running = new Set<ChildProcess>();
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    ({ key } = await person.post<{ key: string }>('/v1/api/keys', { name: 'sync', scopes: ['read', 'write'] }, 201));
  }, 60_000);
  afterAll(() => caudex.stop());
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-sync-'))));
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });

  const start = (project: string, more: string[] = ['--once'], over: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [MAIN, 'sync', dir, '--project', project, ...more], {
      env: { PATH: process.env['PATH'], CAUDEX_URL: caudex.url, CAUDEX_API_KEY: key, ...over },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => {
      running.delete(child);
      return { code: code as number | null, output };
    });
    return { child, ended, output: () => output };
  };
  const syncOnce = (project: string, ...more: string[]) => start(project, ['--once', ...more]).ended;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const idOf = async (name: string) => {
    const { projects } = await person.get<{ projects: { name: string; project_id: string }[] }>('/v1/api/projects');
    const found = projects.filter((project) => project.name === name).map(({ project_id }) => project_id);
    expect(found).toHaveLength(1);
    return found[0] as string;
  };
  /** The texts of a project's documents, by path. */
  const stored = async (name: string) => {
    const url = `/v1/api/projects/${await idOf(name)}/documents`;
    const { documents } = await person.get<{ documents: { path: string }[] }>(`${url}?limit=1000`);
    const texts = documents.map(async ({ path }) => {
      const answer = await person.request('GET', `${url}/${encodeURIComponent(path)}`);
      return [path, await answer.text()] as const;
    });
    return Object.fromEntries(await Promise.all(texts));
  };

  it('uploads a folder, then what changed, was renamed or deleted, and nothing twice', async () => {
    write('a.md', 'one');
    write('deep/größe, 100%.md', 'two');
    write('c.md', 'three');
    expect(await syncOnce('first')).toMatchObject({
      code: 0,
      output: expect.stringContaining('3 uploaded, 0 deleted'),
    });
    expect(await stored('first')).toEqual({ 'a.md': 'one', 'deep/größe, 100%.md': 'two', 'c.md': 'three' });
    expect(await syncOnce('first')).toMatchObject({
      code: 0,
      output: expect.stringContaining('0 uploaded, 0 deleted'),
    });

    write('a.md', 'one, changed');
    renameSync(join(dir, 'c.md'), join(dir, 'deep/d.md'));
    rmSync(join(dir, 'deep/größe, 100%.md'));
    const dry = await syncOnce('first', '--dry-run');
    expect(dry.output.trim().split('\n').toSorted()).toEqual(
      ['M a.md', 'R deep/d.md: from c.md', 'D c.md', 'D deep/größe, 100%.md'].toSorted(),
    );
    expect((await syncOnce('first')).output).toContain('2 uploaded, 2 deleted');
    expect(await stored('first')).toEqual({ 'a.md': 'one, changed', 'deep/d.md': 'three' });
    const { total } = await person.get<{ total: number }>(`/v1/api/projects/${await idOf('first')}/history?path=a.md`);
    expect(total).toBe(2);
  }, 60_000);

  it('sees no change of a file in the recognition of its text', async () => {
    const picture = drawing(['The kestrel hovers above the meadow', 'and looks for voles in the long grass.']);
    writeFileSync(join(dir, 'scan.png'), await picture.encode('png'));
    expect((await syncOnce('scans')).output).toContain('1 uploaded, 0 deleted');
    await until('it is recognised', async () => (await stored('scans'))['scan.png']?.includes('kestrel'), 60_000);
    expect((await syncOnce('scans')).output.trim()).toMatch(/^[^\n]*0 uploaded, 0 deleted[^\n]*$/);
    writeFileSync(join(dir, 'scan.png'), await drawing(['An otter swims across the river.']).encode('png'));
    expect((await syncOnce('scans')).output).toContain('1 uploaded, 0 deleted');
    await until('it is recognised', async () => (await stored('scans'))['scan.png']?.includes('otter'), 60_000);
    rmSync(join(dir, 'scan.png'));
    expect((await syncOnce('scans')).output).toContain('0 uploaded, 1 deleted');
  }, 120_000);

  it('leaves out what the rules say, and deletes nothing that it did not upload or that a rule now leaves out', async () => {
    write('keep.md', 'keep');
    write('drafts/x.md', 'draft');
    for (const path of ['.git/config', '.obsidian/app.json', 'node_modules/m/readme.md', '.trash/old.md'])
      write(path, 'x');
    await syncOnce('rules');
    await person.upload(await idOf('rules'), 'from-the-page.md', 'page');
    write('.caudexignore', 'drafts/\n');
    rmSync(join(dir, 'keep.md'));
    expect((await syncOnce('rules')).output).toContain('0 uploaded, 1 deleted');
    expect(await stored('rules')).toEqual({ 'drafts/x.md': 'draft', 'from-the-page.md': 'page' });
  }, 60_000);

  it('keeps both where a document was changed on both sides, and only what the server has where it was changed there', async () => {
    write('a.md', 'base');
    write('b.md', 'base');
    await syncOnce('conflict');
    const project = await idOf('conflict');
    await person.upload(project, 'a.md', 'of the server', 200);
    await person.upload(project, 'b.md', 'of the server', 200);
    write('a.md', 'of the folder');
    expect((await syncOnce('conflict')).output).toContain('1 conflicts');
    const aside = `a (conflict ${new Date().toISOString().slice(0, 10)}).md`;
    expect(await stored('conflict')).toEqual({
      'a.md': 'of the server',
      [aside]: 'of the folder',
      'b.md': 'of the server',
    });
    expect(readFileSync(join(dir, 'a.md'), 'utf8')).toBe('of the server');
    expect(readFileSync(join(dir, aside), 'utf8')).toBe('of the folder');
    rmSync(join(dir, 'b.md'));
    expect((await syncOnce('conflict')).output).toContain('0 uploaded, 0 deleted, 0 conflicts');
    expect(await stored('conflict')).toHaveProperty(['b.md'], 'of the server');
  }, 60_000);

  it('reports what the server does not take, and does not send it again', async () => {
    write('good.md', 'good');
    writeFileSync(join(dir, 'picture.png'), new Uint8Array([137, 80, 78, 71, 255, 0, 254]));
    const first = await syncOnce('refused');
    expect(first).toMatchObject({ code: 2, output: expect.stringMatching(/^! picture\.png: /m) });
    expect(await stored('refused')).toEqual({ 'good.md': 'good' });
    expect(await syncOnce('refused')).toMatchObject({
      code: 2,
      output: expect.stringContaining('did not take this content before'),
    });
  }, 60_000);

  it('says what is wrong with its arguments and its key', async () => {
    expect(await start('x', ['--wrong']).ended).toMatchObject({ code: 1, output: expect.stringContaining('--wrong') });
    const noKey = await start('x', ['--once'], { CAUDEX_API_KEY: '' }).ended;
    expect(noKey).toMatchObject({ code: 1, output: expect.stringContaining('CAUDEX_API_KEY') });
    expect(await start('x', ['--once'], { CAUDEX_API_KEY: 'cx_wrong' }).ended).toMatchObject({ code: 3 });
  }, 60_000);

  it('watches, and goes on after an outage of the filesystem server; a second one does not start in the folder', async () => {
    write('a.md', 'one');
    const watching = start('watched', []);
    await until('the first run ends', async () => watching.output().includes('in step'));
    expect(await syncOnce('watched')).toMatchObject({ code: 1, output: expect.stringContaining('in use') });
    write('b.md', 'two');
    await until('the new file is stored', async () => 'b.md' in (await stored('watched')));
    await caudex.kill('filesystem');
    write('a.md', 'one, changed in the outage');
    rmSync(join(dir, 'b.md'));
    write('c.md', 'three');
    await until('the outage is reported', async () => watching.output().includes('trying again'));
    await caudex.launch('filesystem');
    await until(
      'everything has arrived',
      async () =>
        JSON.stringify(await stored('watched')) ===
        JSON.stringify({ 'a.md': 'one, changed in the outage', 'c.md': 'three' }),
      30_000,
    );
    expect(watching.child.exitCode).toBeNull();
  }, 90_000);

  it('loses, doubles and deletes nothing however often it is killed', async () => {
    const texts: Record<string, string> = {};
    let n = 0;
    for (let round = 0; round < KILLS; round++) {
      for (let i = 0; i < 30; i++, n++) write(`${n}.md`, (texts[`${n}.md`] = `text ${n}`));
      if (round > 0) {
        for (let i = 0; i < 5; i++) write(`${i}.md`, (texts[`${i}.md`] = `text ${i} in round ${round}`));
        rmSync(join(dir, `${n - 40}.md`));
        delete texts[`${n - 40}.md`];
      }
      const { child, ended } = start('killed');
      await new Promise((resolve) => setTimeout(resolve, 300 + ((round * 397) % 1500)));
      child.kill('SIGKILL');
      await ended;
    }
    expect(await syncOnce('killed')).toMatchObject({ code: 0, output: expect.stringContaining('0 conflicts') });
    expect(await stored('killed')).toEqual(texts);
    expect(
      readdirSync(dir)
        .filter((name) => name.endsWith('.md'))
        .toSorted(),
    ).toEqual(Object.keys(texts).toSorted());
    expect((await syncOnce('killed')).output).toContain('0 uploaded, 0 deleted, 0 conflicts');
  }, 120_000);
});
