import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Caudex, type Person, until } from '../system/caudex.js';
import { FakeLlm, says } from '../system/fake-llm.js';

/** Large enough for the data of each server, including the embedded ChromaDB. */
const DISK_BYTES = 32 * 1024 * 1024;

/** A separate small disk; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'caudex-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir], { stdio: 'ignore' });
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
  let llm: FakeLlm;
  let person: Person;
  let project: string;
  const dir = disk as string;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = says('Pears ripen first.');
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake-1' });
    person = await caudex.signUp('fay@example.org');
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('it is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });

  /** Moves a server's data to the small disk and fills the disk. */
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
      writeFileSync(join(dir, 'fill'), Buffer.alloc(DISK_BYTES));
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
  function empty(): void {
    execFileSync('sh', ['-c', `rm -f ${dir}/fill*`]);
  }
  /** Moves the data of a server back to where they were before {@link fill}; what it has written since is lost. */
  async function free(app: App): Promise<void> {
    empty();
    await caudex.kill(app, 'SIGTERM');
    await caudex.launch(app);
    rmSync(join(dir, app), { recursive: true });
  }
  const upload = (path: string) =>
    person.request('PUT', `/v1/api/projects/${project}/documents/${path}`, 'word '.repeat(40_000), {
      'content-type': 'text/plain',
    });
  const text = (i: number) => `# Quince${i}\n\n${`A text of ${i} words about quinces. `.repeat(4000)}`;
  const statusOf = async (answer: Promise<Response>) => (await answer).status;

  it('of filesystem: uploads are 507, failed uploads have no effect, reads and chats work', async () => {
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

  it('of auth: existing sessions stay valid', async () => {
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

  it('of chroma: search finds new documents by full text, and they are indexed when there is room', async () => {
    await fill('chroma');
    const uploads = [];
    for (let i = 0; i < 7; i++) {
      const put = await person.request('PUT', `/v1/api/projects/${project}/documents/quince${i}.md`, text(i), {
        'content-type': 'text/markdown',
      });
      uploads.push(((await put.json()) as { indexed: string }).indexed);
    }
    expect(new Set(uploads)).toEqual(new Set(['queued']));
    expect((await caudex.breaker('chroma')).state).toBe('closed');
    expect((await person.search(project, 'quince3')).results[0]?.document).toBe('quince3.md');
    await free('chroma');
    await until(
      'all are indexed',
      async () => {
        const { queued } = await person.get<{ queued: number }>(`/v1/api/projects/${project}/index`);
        return queued === 0;
      },
      60_000,
    );
    expect(await person.search(project, 'quince3')).toMatchObject({ source: 'hybrid', degraded: false });
  }, 120_000);

  it('of billing: chats are answered, and charged when there is room', async () => {
    const balance = async () => (await person.get<{ credits: number }>('/v1/api/billing/balance')).credits;
    const before = await balance();
    await fill('billing');
    for (let i = 0; i < 3; i++) expect((await person.chat(project, `When do pears ripen? ${i}`)).status).toBe(200);
    expect((await caudex.breaker('billing')).state).toBe('closed');
    expect(await balance()).toBe(before);
    await free('billing');
    await until('they are charged', async () => (await balance()) < before, 60_000);
  }, 120_000);

  it('of git: uploads are stored, and committed when there is room', async () => {
    await fill('git');
    for (let i = 0; i < 3; i++) {
      const put = await person.request('PUT', `/v1/api/projects/${project}/documents/medlar${i}.md`, text(i), {
        'content-type': 'text/markdown',
      });
      expect(put.status).toBe(201);
    }
    const history = (path: string) =>
      person.get<{ versions: unknown[] }>(`/v1/api/projects/${project}/history?path=${path}`);
    expect((await history('pears.md')).versions).toHaveLength(1);
    expect((await caudex.breaker('git')).state).toBe('closed');
    await free('git');
    await until('they are in the history', async () => (await history('medlar2.md')).versions.length === 1, 60_000);
  }, 120_000);

  it('of the backend: stored documents are reported as stored, chats are answered, and both are kept when there is room', async () => {
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
    const answer = await person.chat(project, `When do pears ripen? ${'On a full disk. '.repeat(2000)}`);
    expect(answer).toMatchObject({
      ...{ status: 200, response: expect.stringContaining('Pears ripen first.') as string, saved: 'queued' },
      degradation: [{ service: 'filesystem', reason: 'saturated', fallback: 'outbox' }],
    });
    empty();
    await until('the conversation is kept', async () => {
      const { turns } = await person.get<{ turns: unknown[] }>(`/v1/api/conversations/${answer.conversation_id}`);
      return turns.length === 1;
    });
    await free('backend');
    await until('an upload is taken', async () => (await statusOf(upload('room.txt'))) < 300);
  }, 90_000);
});
