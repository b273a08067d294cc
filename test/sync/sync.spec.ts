import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import pLimit from 'p-limit';
import { drawing } from '../pictures.js';
import { Caudex, type Person, until } from '../system/caudex.js';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const KILLS = Number(process.env['CAUDEX_KILLS'] ?? 6);
const PAGE = 500;
/** Requests at the same time: the backend refuses some of many. */
const READERS = 6;
const KILL_TEST_MS = 60_000 + 10_000 * KILLS;

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
  /** The texts of the files in the folder, by path. */
  const local = () => {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = files.map((entry) => relative(dir, join(entry.parentPath, entry.name)));
    const own = paths.filter((path) => !path.startsWith('.caudex'));
    return Object.fromEntries(own.map((path) => [path, readFileSync(join(dir, path), 'utf8')]));
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
    const texts: Record<string, string> = {};
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const page = await person.get<{ documents: { path: string }[]; total: number }>(
        `${url}?limit=${PAGE}&offset=${offset}`,
      );
      total = page.total;
      await pLimit(READERS).map(page.documents, async ({ path }) => {
        const answer = await person.request('GET', `${url}/${encodeURIComponent(path)}`);
        expect(answer.status).toBe(200);
        texts[path] = await answer.text();
      });
    }
    return texts;
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
      ['M a.md', 'R deep/d.md: from c.md', 'D deep/größe, 100%.md'].toSorted(),
    );
    expect((await syncOnce('first')).output).toContain('1 uploaded, 1 deleted, 0 conflicts, 1 moved');
    expect(await stored('first')).toEqual({ 'a.md': 'one, changed', 'deep/d.md': 'three' });
    const { total } = await person.get<{ total: number }>(`/v1/api/projects/${await idOf('first')}/history?path=a.md`);
    expect(total).toBe(2);
    const trash = await person.get<{ total: number }>(`/v1/api/projects/${await idOf('first')}/trash`);
    expect(trash.total).toBe(1);
  }, 60_000);

  it('moves renamed files and folders, so that their history goes on', async () => {
    for (const n of [1, 2, 3]) write(`notes/old/${n}.md`, `note ${n}`);
    write('notes/other.md', 'other');
    await syncOnce('renames');
    const project = await idOf('renames');
    const history = async (path: string) => {
      const url = `/v1/api/projects/${project}/history?path=${path}`;
      const { versions } = await person.get<{ versions: { path: string; message: string }[] }>(url);
      return versions.map(({ message }) => message);
    };
    renameSync(join(dir, 'notes/old'), join(dir, 'archive'));
    write('archive/2.md', 'note 2, changed');
    renameSync(join(dir, 'notes/other.md'), join(dir, 'single.md'));
    const { output } = await syncOnce('renames');
    expect(output).toContain('1 uploaded, 0 deleted, 0 conflicts, 4 moved');
    expect(await stored('renames')).toEqual({
      ...{ 'archive/1.md': 'note 1', 'archive/2.md': 'note 2, changed', 'archive/3.md': 'note 3' },
      'single.md': 'other',
    });
    expect(await history('archive/1.md')).toEqual(['Move notes/old/ to archive/', 'Save notes/old/1.md']);
    expect(await history('archive/2.md')).toEqual([
      ...['Save archive/2.md', 'Move notes/old/ to archive/', 'Save notes/old/2.md'],
    ]);
    expect(await history('single.md')).toEqual(['Move notes/other.md to single.md', 'Save notes/other.md']);
    expect((await syncOnce('renames')).output).toContain('0 uploaded, 0 deleted, 0 conflicts;');
  }, 60_000);

  it('keeps both where a renamed file meets a document of its new name', async () => {
    write('mail.md', 'text');
    await syncOnce('taken name');
    const project = await idOf('taken name');
    await person.upload(project, 'taken.md', 'of the page');
    renameSync(join(dir, 'mail.md'), join(dir, 'taken.md'));
    expect((await syncOnce('taken name')).output).toContain('1 conflicts');
    const texts = Object.values(await stored('taken name')).sort();
    expect(texts).toEqual(['of the page', 'text']);
  }, 60_000);

  it('with --both brings changes on the server to the folder, and loses nothing of either side', async () => {
    write('here.md', 'here');
    write('shared.md', 'base');
    write('gone.md', 'to be deleted there');
    await syncOnce('both', '--both');
    const project = await idOf('both');
    const documents = `/v1/api/projects/${project}/documents`;
    await person.upload(project, 'there/new.md', 'there');
    await person.upload(project, '.git/config', 'left out');
    await person.upload(project, 'shared.md', 'changed there', 200);
    await person.delete(`${documents}/gone.md`);
    const dry = await syncOnce('both', '--both', '--dry-run');
    expect(dry.output.trim().split('\n').sort()).toEqual(['* shared.md', '+ there/new.md', '- gone.md']);
    expect((await syncOnce('both', '--both')).output).toContain('2 downloaded, 1 removed here');
    const texts = { 'here.md': 'here', 'shared.md': 'changed there', 'there/new.md': 'there' };
    expect(local()).toEqual(texts);
    expect(readFileSync(join(dir, '.caudex/trash/gone.md'), 'utf8')).toBe('to be deleted there');
    expect((await syncOnce('both', '--both')).output).toMatch(/: 0 uploaded, 0 deleted, 0 conflicts; in step/);

    renameSync(join(dir, 'there/new.md'), join(dir, 'moved.md'));
    rmSync(join(dir, 'here.md'));
    write('shared.md', 'changed here');
    await person.upload(project, 'shared.md', 'changed there again', 200);
    expect((await syncOnce('both', '--both')).output).toContain('1 deleted, 1 conflicts, 1 moved');
    const aside = `shared (conflict ${new Date().toISOString().slice(0, 10)}).md`;
    const after = { 'moved.md': 'there', 'shared.md': 'changed there again', [aside]: 'changed here' };
    expect(local()).toEqual(after);
    expect(await stored('both')).toEqual({ ...after, '.git/config': 'left out' });
  }, 60_000);

  it('with --both writes nothing outside of the folder', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'caudex-outside-'));
    symlinkSync(outside, join(dir, 'link'));
    write('file', 'a file');
    await syncOnce('outside');
    const project = await idOf('outside');
    for (const path of ['link/evil.md', 'file/below.md', 'fine.md']) await person.upload(project, path, path);
    const { code, output } = await syncOnce('outside', '--both');
    expect(code).toBe(2);
    expect(output).toMatch(/^! link\/evil\.md: link is no folder here$/m);
    expect(output).toMatch(/^! file\/below\.md: file is no folder here$/m);
    expect(readdirSync(outside)).toEqual([]);
    expect(readFileSync(join(dir, 'fine.md'), 'utf8')).toBe('fine.md');
    rmSync(outside, { recursive: true });
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

  it('ends also where it was started with a channel, as by the command on another version of Node', async () => {
    const env = { PATH: process.env['PATH'], CAUDEX_URL: caudex.url, CAUDEX_API_KEY: key };
    const forked = (given: Record<string, string | undefined>) => {
      const child = fork(MAIN, ['sync', dir, '--project', 'channel', '--once'], { env: given, silent: true });
      running.add(child);
      return once(child, 'exit').then(([code]) => code as number);
    };
    expect(await forked({ ...env, CAUDEX_API_KEY: '' })).toBe(1);
    expect(await forked(env)).toBe(0);
  });

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

  /** Runs the command, and kills it after a time that is another one in each round. */
  const killed = async (project: string, round: number, ...more: string[]) => {
    const { child, ended } = start(project, ['--once', ...more]);
    await new Promise((resolve) => setTimeout(resolve, 300 + ((round * 397) % 1500)));
    child.kill('SIGKILL');
    await ended;
  };

  it(
    'loses, doubles and deletes nothing however often it is killed',
    async () => {
      const texts: Record<string, string> = {};
      let n = 0;
      for (let round = 0; round < KILLS; round++) {
        for (let i = 0; i < 30; i++, n++) write(`${n}.md`, (texts[`${n}.md`] = `text ${n}`));
        if (round > 0) {
          for (let i = 0; i < 5; i++) write(`${i}.md`, (texts[`${i}.md`] = `text ${i} in round ${round}`));
          rmSync(join(dir, `${n - 40}.md`));
          delete texts[`${n - 40}.md`];
        }
        await killed('killed', round);
      }
      expect(await syncOnce('killed')).toMatchObject({ code: 0, output: expect.stringContaining('0 conflicts') });
      expect(await stored('killed')).toEqual(texts);
      expect(local()).toEqual(texts);
      expect((await syncOnce('killed')).output).toContain('0 uploaded, 0 deleted, 0 conflicts');
    },
    KILL_TEST_MS,
  );

  it('makes no second project from a list of projects that is older than the first one', async () => {
    write('a.md', 'text a');
    expect(await syncOnce('once')).toMatchObject({ code: 0 });
    await caudex.kill('filesystem');
    write('b.md', 'text b');
    const { ended, output } = start('once');
    await until('the outage is noticed', async () => output().includes('trying again'));
    await caudex.launch('filesystem');
    expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining('1 uploaded') });
    expect(await stored('once')).toEqual({ 'a.md': 'text a', 'b.md': 'text b' });
  }, 60_000);

  it(
    'loses, doubles and deletes nothing however often servers are killed under it',
    async () => {
      const servers = ['filesystem', 'backend', 'git', 'chroma', 'auth'] as const;
      const texts: Record<string, string> = {};
      for (let round = 0, n = 0; round < KILLS; round++) {
        for (let i = 0; i < 30; i++, n++) write(`${n}.md`, (texts[`${n}.md`] = `text ${n}`));
        if (round > 0) {
          for (let i = 0; i < 5; i++) write(`${i}.md`, (texts[`${i}.md`] = `text ${i} in round ${round}`));
          renameSync(join(dir, `${n - 50}.md`), join(dir, `${n - 50} renamed.md`));
          texts[`${n - 50} renamed.md`] = `text ${n - 50}`;
          for (const gone of [n - 40, n - 50]) delete texts[`${gone}.md`];
          rmSync(join(dir, `${n - 40}.md`));
        }
        const { ended } = start('killed servers');
        await new Promise((resolve) => setTimeout(resolve, 400 + ((round * 397) % 1500)));
        const app = servers[round % servers.length] as (typeof servers)[number];
        await caudex.kill(app);
        await caudex.launch(app);
        expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining(' 0 conflicts') });
      }
      expect(await stored('killed servers')).toEqual(texts);
      expect(local()).toEqual(texts);
      expect((await syncOnce('killed servers')).output).toContain('0 uploaded, 0 deleted, 0 conflicts');
    },
    KILL_TEST_MS,
  );

  it(
    'keeps each renamed document once however often it is killed',
    async () => {
      for (let i = 0; i < 20; i++) write(`a0/x/${i}.md`, `text ${i}`);
      for (let i = 0; i < 10; i++) write(`0-${i}.md`, `single ${i}`);
      await syncOnce('killed renames');
      for (let round = 0; round < KILLS; round++) {
        renameSync(join(dir, `a${round}`), join(dir, `a${round + 1}`));
        for (let i = 0; i < 10; i++) renameSync(join(dir, `${round}-${i}.md`), join(dir, `${round + 1}-${i}.md`));
        await killed('killed renames', round);
      }
      expect(await syncOnce('killed renames')).toMatchObject({
        code: 0,
        output: expect.stringContaining('0 conflicts'),
      });
      const texts = local();
      expect(Object.keys(texts)).toHaveLength(30);
      expect(await stored('killed renames')).toEqual(texts);
      expect((await syncOnce('killed renames')).output).toContain('0 uploaded, 0 deleted, 0 conflicts;');
    },
    KILL_TEST_MS,
  );

  it(
    'with --both loses nothing of either side however often it is killed',
    async () => {
      const expected = new Map<string, string>();
      for (let i = 0; i < 10; i++) write(`here/${i}.md`, `here ${i}`);
      await syncOnce('killed both', '--both');
      const project = await idOf('killed both');
      for (let round = 0; round < KILLS; round++) {
        await person.upload(project, `there/${round}.md`, `there ${round}`);
        // Of each document one side alone is changed: those of `here` in the folder, those of `there` on the server.
        if (round > 0) {
          await person.upload(project, `there/${round - 1}.md`, `there ${round - 1}, changed`, 200);
          expected.set(`there/${round - 1}.md`, `there ${round - 1}, changed`);
        }
        expected.set(`there/${round}.md`, `there ${round}`);
        write(`here/${round % 10}.md`, `here in round ${round}`);
        await killed('killed both', round, '--both');
      }
      const last = await syncOnce('killed both', '--both');
      expect(last).toMatchObject({ code: 0, output: expect.stringContaining('0 conflicts') });
      const texts = local();
      expect(await stored('killed both')).toEqual(texts);
      expect(texts).toMatchObject(Object.fromEntries(expected));
      expect(Object.keys(texts)).toHaveLength(10 + KILLS);
      expect(texts[`here/${(KILLS - 1) % 10}.md`]).toBe(`here in round ${KILLS - 1}`);
      expect(readdirSync(join(dir, '.caudex')).filter((name) => name.startsWith('incoming'))).toEqual([]);
    },
    KILL_TEST_MS,
  );
});
