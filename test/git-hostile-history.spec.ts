import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitServerModule } from '../src/downstream/git/server/git-server.module.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

/** Hostile repositories: forged commits, and folders that refer to objects elsewhere. */
describe('the import of a hostile repository', () => {
  let server: ServerUnderTest;
  let root: string;
  let allowed: string;
  let count = 0;
  const user = 'eve';

  const run = (dir: string, args: string[], input?: string) =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@e', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
      ...(input === undefined ? {} : { input }),
    }).trim();

  /** A repository with one commit whose object is written by hand. */
  function forged(header: string, message: string): { dir: string; commit: string } {
    const dir = join(allowed, `r${++count}`);
    mkdirSync(dir);
    run(dir, ['init', '-q', '-b', 'main']);
    writeFileSync(join(dir, 'a.md'), 'one\ntwo\nthree\n');
    run(dir, ['add', '.']);
    const tree = run(dir, ['write-tree']);
    const person = `${header} <e@e> 1700000000 +0000`;
    const object = `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\n${message}`;
    const commit = run(dir, ['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], object);
    run(dir, ['update-ref', 'refs/heads/main', commit]);
    return { dir, commit };
  }

  async function imported(source: string): Promise<{ project: string; state: string; status: number }> {
    const project = `p${++count}`;
    const body = { import_id: `i${count}`, source };
    for (;;) {
      const { status, body: told } = await server.call('POST', `/projects/${project}/imports`, { user, body });
      if (told['state'] !== 'running') return { project, status, state: String(told['state'] ?? told['code']) };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const historyOf = async (project: string) => {
    const { body } = await server.call('GET', `/projects/${project}/history`, { user });
    return body['versions'] as { version: string; author: string; message: string; committed_at: string }[];
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'caudex-hostile-'));
    allowed = join(root, 'allowed');
    mkdirSync(allowed);
    server = await startForTest('git', GitServerModule, { CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([allowed]) });
  });
  afterAll(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  const target = () => join(root, 'written');
  it.each([
    ['a frame of fields in its author', () => [`x\x02--output=${target()}`, '2020-01-01T00:00:00Z'] as const],
    ['an option as its author', () => [`--output=${target()}`, 'm'] as const],
    ['control characters in its author', () => ['a\x01\x1b[31mb\x03', 'm'] as const],
    ['a NUL in its message', () => ['n', `m\0${'f'.repeat(40)}\0--output=${target()}\0e\0t\0x`] as const],
    ['a frame in its message', () => ['n', `\x02--output=${target()}\x00`] as const],
    ['a message of a megabyte', () => ['n', 'm'.repeat(1_000_000)] as const],
    ['no message', () => ['n', ''] as const],
  ])('with %s is text like any other', async (_, make) => {
    const [header, message] = make();
    const { dir, commit } = forged(header, message);
    const { project, state } = await imported(dir);
    expect(state).toBe('done');
    const [version] = await historyOf(project);
    expect(version).toMatchObject({ version: commit, committed_at: '2023-11-14T22:13:20.000Z' });
    expect(version?.author).not.toMatch(/[\u0000-\u001f]/);
    expect(version?.message.length).toBeLessThanOrEqual(10_000);
    for (const path of [
      `/projects/${project}/changes`,
      `/projects/${project}/blame?path=a.md`,
      `/projects/${project}/diff?path=a.md&from=${commit}&to=${commit}`,
      `/projects/${project}/text?path=a.md&version=${commit}`,
    ]) {
      expect({ path, status: (await server.call('GET', path, { user })).status }).toEqual({ path, status: 200 });
    }
    expect(existsSync(target())).toBe(false);
  });

  it('with an invalid time is imported with the time 1970', async () => {
    const { dir } = forged('n <e@e> 99999999999999999999 +9999', 'm');
    expect((await imported(dir)).state).toBe('done');
  });

  describe('that leads out of the allowed place', () => {
    let secret: string;
    const refused = { status: 403, state: 'import_not_allowed' };

    beforeAll(() => {
      secret = join(root, 'private');
      mkdirSync(secret);
      run(secret, ['init', '-q', '-b', 'main']);
      writeFileSync(join(secret, 'secret.md'), 'TOP SECRET');
      run(secret, ['add', '.']);
      run(secret, ['commit', '-qm', 's']);
    });

    it.each([
      [
        'a .git file',
        (dir: string) => {
          rmSync(join(dir, '.git'), { recursive: true, force: true });
          writeFileSync(join(dir, '.git'), `gitdir: ${secret}/.git\n`);
        },
      ],
      [
        'a .git file with a relative path',
        (dir: string) => {
          rmSync(join(dir, '.git'), { recursive: true, force: true });
          writeFileSync(join(dir, '.git'), 'gitdir: ../../private/.git');
        },
      ],
      [
        'a .git link',
        (dir: string) => {
          rmSync(join(dir, '.git'), { recursive: true, force: true });
          symlinkSync(join(secret, '.git'), join(dir, '.git'));
        },
      ],
      ['commondir', (dir: string) => writeFileSync(join(dir, '.git', 'commondir'), `${secret}/.git\n`)],
      [
        'alternates',
        (dir: string) => writeFileSync(join(dir, '.git', 'objects', 'info', 'alternates'), `${secret}/.git/objects\n`),
      ],
      [
        'a link among its objects',
        (dir: string) => {
          rmSync(join(dir, '.git', 'objects', 'pack'), { recursive: true });
          symlinkSync(join(secret, '.git', 'objects'), join(dir, '.git', 'objects', 'pack'));
        },
      ],
      [
        'a link as its refs',
        (dir: string) => symlinkSync(join(secret, '.git', 'refs'), join(dir, '.git', 'refs', 'x')),
      ],
    ])('by %s is refused', async (_, lead) => {
      const { dir } = forged('n', 'm');
      mkdirSync(join(dir, '.git', 'objects', 'info'), { recursive: true });
      lead(dir);
      expect(await imported(dir)).toMatchObject(refused);
    });

    it('is imported where all of its links stay inside', async () => {
      const shared = forged('n', 'shared');
      const { dir } = forged('n', 'm');
      writeFileSync(join(dir, '.git', 'objects', 'info', 'alternates'), `${shared.dir}/.git/objects\n`);
      const worktree = join(allowed, `r${++count}`);
      mkdirSync(worktree);
      writeFileSync(join(worktree, '.git'), `gitdir: ${dir}/.git\n`);
      expect((await imported(dir)).state).toBe('done');
      expect((await imported(worktree)).state).toBe('done');
    });
  });
});
