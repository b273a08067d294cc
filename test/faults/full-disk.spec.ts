import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Caudex, type Person, until } from '../system/caudex.js';

/** A small disk of its own; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', dir], { stdio: 'ignore' });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

const disk = smallDisk();
if (disk === undefined) console.warn('no small disk can be mounted here: full disks are not tested');

(disk === undefined ? describe.skip : describe)('a full disk', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  const dir = disk as string;

  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp('fay@example.org');
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });

  /** Moves a server's data onto the small disk, and fills that. */
  async function fill(app: App): Promise<void> {
    await caudex.kill(app, 'SIGTERM');
    mkdirSync(join(dir, app), { recursive: true });
    execFileSync('cp', ['-r', `${join(caudex.dataDir, app)}/.`, join(dir, app)]);
    await caudex.launch(app, { DATA_DIR: dir });
    await until('it is asked again', async () => {
      await person.request('GET', `/v1/api/projects/${project}/documents`);
      return app === 'backend' || (await caudex.breaker(app)).state === 'closed';
    });
    try {
      writeFileSync(join(dir, 'fill'), Buffer.alloc(6_000_000));
    } catch {
      // It is full now.
    }
    for (let i = 0; i < 40; i++) {
      try {
        writeFileSync(join(dir, `fill${i}`), Buffer.alloc(4096));
      } catch {
        break;
      }
    }
  }
  async function free(app: App): Promise<void> {
    execFileSync('sh', ['-c', `rm -f ${dir}/fill*`]);
    await caudex.kill(app, 'SIGTERM');
    await caudex.launch(app);
    rmSync(join(dir, app), { recursive: true });
  }
  const upload = (path: string) =>
    person.request('PUT', `/v1/api/projects/${project}/documents/${path}`, 'word '.repeat(40_000), {
      'content-type': 'text/plain',
    });
  const statusOf = async (answer: Promise<Response>) => (await answer).status;

  it('of filesystem: uploads are 507, what was answered as failed did not happen, reads and chats go on', async () => {
    await fill('filesystem');
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push(await statusOf(upload(`d${i}.txt`)));
    expect(new Set(statuses)).toEqual(new Set([507]));
    expect((await caudex.breaker('filesystem')).state).toBe('closed');
    const { documents } = await person.get<{ documents: { path: string }[] }>(`/v1/api/projects/${project}/documents`);
    expect(documents.map(({ path }) => path)).toEqual(['pears.md']);
    expect(await person.chat(project, 'When do pears ripen?')).toMatchObject({ status: 200, source: 'hybrid' });
    await free('filesystem');
    await until('an upload is taken', async () => (await statusOf(upload('after.txt'))) === 201);
  }, 90_000);

  it('of auth: whoever is signed in stays so', async () => {
    await fill('auth');
    for (let i = 0; i < 7; i++) {
      await person.request('POST', '/v1/api/auth/register', `{"email":"new${i}@example.org","password":"password-1"}`, {
        'content-type': 'application/json',
      });
    }
    expect((await caudex.breaker('auth')).state).toBe('closed');
    expect(await statusOf(person.request('GET', '/v1/api/auth/check'))).toBe(200);
    await free('auth');
  }, 90_000);

  it('of the backend: what was stored is told as stored, and its index and its commit come when there is room', async () => {
    await fill('backend');
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push(await statusOf(upload(`b${i}.txt`)));
    for (const status of statuses) expect([201, 507]).toContain(status);
    expect((await person.search(project, 'pears')).results.length).toBeGreaterThan(0);
    const stored = statuses.flatMap((status, i) => (status === 201 ? [`b${i}.txt`] : []));
    const { documents } = await person.get<{ documents: { path: string }[] }>(
      `/v1/api/projects/${project}/documents?prefix=b`,
    );
    expect(documents.map(({ path }) => path)).toEqual(stored);
    await free('backend');
    await until('an upload is taken', async () => (await statusOf(upload('room.txt'))) < 300);
  }, 90_000);
});
