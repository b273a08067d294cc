import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type App, Caudex, type Person, until } from './caudex.js';

const COMMITS = 3;
const FILES = 150;

interface Progress {
  import_id: string;
  state: 'running' | 'waiting' | 'done' | 'failed';
  documents: number;
  detail: string | null;
}

describe('an import', () => {
  const root = mkdtempSync(join(tmpdir(), 'caudex-library-'));
  const source = join(root, 'library');
  const leaflet = join(root, 'leaflet');
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    makeRepository(source, FILES, COMMITS);
    makeRepository(leaflet, 1, 1);
    caudex = await Caudex.start({
      CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([root]),
      CAUDEX__DOCUMENTS__INDEX_WAIT_MS: '5',
      CAUDEX__OUTBOX__RETRY_BASE_MS: '50',
      CAUDEX__OUTBOX__RETRY_MAX_MS: '200',
    });
    person = await caudex.signUp();
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    rmSync(root, { recursive: true });
  });
  beforeEach(async () => {
    project = await person.project();
  });

  const path = () => `/v1/api/projects/${project}/import`;
  const progress = (id: string) => person.get<Progress>(`${path()}/${id}`);

  async function begun(): Promise<string> {
    const { import_id } = await person.post<Progress>(path(), { source }, 202);
    await until('some documents are there', async () => (await progress(import_id)).documents > 20);
    return import_id;
  }

  async function ended(id: string): Promise<Progress> {
    return until(
      'the import ends',
      async () => {
        const found = await progress(id);
        return (found.state === 'done' || found.state === 'failed') && found;
      },
      30_000,
    );
  }

  /** Checks that every document is there once and was counted once. */
  async function isWhole(id: string): Promise<void> {
    const expected = { state: 'done', imported_commits: COMMITS, documents: FILES, skipped: 0, detail: null };
    expect(await ended(id)).toMatchObject(expected);
    const listed = await person.get<{ documents: { path: string }[] }>(
      `/v1/api/projects/${project}/documents?limit=1000`,
    );
    expect(new Set(listed.documents.map(({ path: name }) => name)).size).toBe(FILES);
    expect(listed.documents).toHaveLength(FILES);
    expect(await person.get(`/v1/api/projects/${project}/history`)).toMatchObject({ total: FILES });
  }

  it.each<App[][]>([[['backend']], [['backend', 'git']]])(
    'is taken up again by its id when %j was killed in the middle of it',
    async (apps) => {
      const id = await begun();
      await Promise.all(apps.map((app) => caudex.kill(app)));
      await Promise.all(apps.map((app) => caudex.launch(app)));
      expect((await progress(id)).state).not.toBe('done');
      await isWhole(id);
    },
    60_000,
  );

  it.each<App>(['git', 'filesystem'])(
    'waits while %s is away, and goes on when it is back',
    async (app) => {
      const id = await begun();
      await caudex.kill(app);
      const waiting = await until('it waits', async () => {
        const found = await progress(id);
        return found.state === 'waiting' && found;
      });
      expect(waiting.detail).toContain(app);
      await caudex.launch(app);
      await isWhole(id);
    },
    60_000,
  );

  it('is acknowledged when it is stored, before it has begun', async () => {
    const { import_id } = await person.post<Progress>(path(), { source }, 202);
    await Promise.all([caudex.kill('backend'), caudex.kill('git')]);
    await Promise.all([caudex.launch('backend'), caudex.launch('git')]);
    await isWhole(import_id);
  }, 60_000);

  it('can be read when it has ended, and a repeated key starts no second one, also after a restart', async () => {
    const key = randomUUID();
    const post = () =>
      person.request('POST', path(), JSON.stringify({ source: leaflet }), {
        'content-type': 'application/json',
        'idempotency-key': key,
      });
    const first = await post();
    expect(first.status).toBe(202);
    const { import_id } = (await first.json()) as Progress;
    await ended(import_id);
    const before = await progress(import_id);
    await caudex.kill('backend');
    await caudex.launch('backend');
    expect(await progress(import_id)).toEqual(before);
    const again = await post();
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(await again.json()).toMatchObject({ import_id });
  }, 60_000);

  it('ends with its project, and is not listed afterwards', async () => {
    const first = await begun();
    const { import_id: second } = await person.post<Progress>(path(), { source }, 202);
    await person.post(path(), { source }, 429);
    const { user } = await person.get<{ user: { user_id: string } }>('/v1/api/auth/check');
    const repository = join(caudex.dataDir, 'git', 'repositories', user.user_id, `${project}.git`);
    expect(existsSync(repository)).toBe(true);
    await person.delete(`/v1/api/projects/${project}`);
    for (const id of [first, second]) await person.get(`${path()}/${id}`, 404);
    expect(keptImports()).toBe(0);
    await until('its repository is gone', async () => !existsSync(repository));
    await caudex.kill('backend');
    await caudex.launch('backend');

    const gone = project;
    project = await person.project();
    const { import_id } = await person.post<Progress>(path(), { source: leaflet }, 202);
    expect(await ended(import_id)).toMatchObject({ state: 'done', documents: 1 });
    expect(existsSync(repository)).toBe(false);
    await person.get(`/v1/api/projects/${gone}/import/${first}`, 404);
  }, 60_000);

  function keptImports(): number {
    const db = new DatabaseSync(join(caudex.dataDir, 'backend', 'imports.db'), { readOnly: true });
    const row = db.prepare('SELECT count(*) AS n FROM imports WHERE project_id = ?').get(project);
    db.close();
    return Number(row?.['n']);
  }
});

function makeRepository(folder: string, files: number, commits: number): void {
  mkdirSync(folder);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Grace', '-c', 'user.email=grace@example.org', ...args], { cwd: folder });
  git('init', '-q', '-b', 'main');
  for (let file = 0; file < files; file++) {
    writeFileSync(join(folder, `${file}.md`), `# Book ${file}\n\nIt stands on shelf ${file % 7}.\n`);
    if ((file + 1) % (files / commits) !== 0) continue;
    git('add', '-A');
    git('commit', '-q', '-m', `Up to ${file}`);
  }
}
