import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, list } from 'tar';
import { APPS, Caudex, Person, until } from './caudex.js';

const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist'), 'main.js');

/** Runs one command of the program on this data folder. */
const run = (dataDir: string, ...args: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) =>
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { PATH: process.env['PATH'], NODE_ENV: 'test', DATA_DIR: dataDir } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    ),
  );

interface History {
  total: number;
  versions: { path: string; version: string }[];
}

describe('backup and restore', () => {
  let caudex: Caudex;
  let outside: string;
  beforeAll(async () => {
    caudex = await Caudex.start();
    outside = mkdtempSync(join(tmpdir(), 'caudex-backup-'));
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    rmSync(outside, { recursive: true });
  });

  /** All data of a user that the public API returns. */
  const everything = async (person: Person, project: string) => {
    const documents = await person.get<{ documents: { path: string }[] }>(`/v1/api/projects/${project}/documents`);
    const texts = documents.documents.map(async ({ path }) =>
      (await person.request('GET', `/v1/api/projects/${project}/documents/${path}`)).text(),
    );
    const { conversations } = await person.get<{ conversations: { conversation_id: string }[] }>(
      '/v1/api/conversations',
    );
    const turns = conversations.map(({ conversation_id: id }) => person.get(`/v1/api/conversations/${id}`));
    const history = await person.get<History>(`/v1/api/projects/${project}/history`);
    const versions = history.versions.map(async ({ path, version }) =>
      (await person.request('GET', `/v1/api/projects/${project}/documents/${path}?version=${version}`)).text(),
    );
    return {
      documents,
      texts: await Promise.all(texts),
      history,
      versions: await Promise.all(versions),
      turns: await Promise.all(turns),
      balance: await person.get<{ reserved: number }>('/v1/api/billing/balance'),
      usage: await person.get<{ total: number }>('/v1/api/billing/usage'),
    };
  };

  it('restore every document, turn, version and balance, from a backup during writes', async () => {
    const person = await caudex.signUp();
    const project = await person.project();
    await person.upload(project, 'a.md', '# Pears\n\nWilliams pears ripen in September.');
    await person.upload(project, 'a.md', '# Pears\n\nWilliams pears ripen in October.', 200);
    await person.upload(project, 'folder/b.md', '# Plums\n\nPlums ripen in August.');
    const { conversation_id } = await person.chat(project, 'When do pears ripen?');
    await person.chat(project, 'And plums?', { conversation_id });
    const key = await person.post<{ key: string }>('/v1/api/keys', { name: 'script' }, 201);
    await until('all is committed', async () => (await everything(person, project)).history.total === 3);
    let before = await everything(person, project);
    await until('the charges are written', async () => {
      const now = await everything(person, project);
      const settled = JSON.stringify(now) === JSON.stringify(before);
      before = now;
      return settled && now.usage.total > 2 && now.balance.reserved === 0;
    });

    expect(JSON.stringify(before.turns)).toContain('And plums?');

    const other = await caudex.signUp();
    const theirs = await other.project();
    let written = 0;
    let writing = true;
    const load = (async () => {
      while (writing)
        await other.upload(theirs, `${written}.md`, `# Note ${written}\n\nText ${written}.`).then(() => written++);
    })();
    await until('the others write', () => Promise.resolve(written > 5));
    const writtenBefore = written;
    const file = join(outside, 'caudex.tar.gz');
    const saved = await run(caudex.dataDir, 'backup', file);
    const writtenMeanwhile = written - writtenBefore;
    writing = false;
    await load;
    expect(saved).toMatchObject({ code: 0, output: expect.stringContaining('backend, auth, filesystem') });
    expect(writtenMeanwhile).toBeGreaterThan(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(join(caudex.dataDir, 'backup'))).toBe(false);

    await Promise.all(APPS.map((app) => caudex.kill(app)));
    const refused = await run(caudex.dataDir, 'restore', file);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('is not empty') });
    for (const name of readdirSync(caudex.dataDir)) rmSync(join(caudex.dataDir, name), { recursive: true });
    expect(await run(caudex.dataDir, 'restore', file)).toMatchObject({ code: 0 });
    await Promise.all(APPS.map((app) => caudex.launch(app)));

    // The same tokens and keys are valid: they were saved, too.
    expect(await everything(person, project)).toEqual(before);
    await new Person(caudex.url, key.key).get(`/v1/api/projects/${project}`);
    const found = await until('the index is there', async () => {
      const { source, results } = await person.search(project, 'When do plums ripen?');
      return source === 'hybrid' && results;
    });
    expect(found[0]?.document).toBe('folder/b.md');
    // Each document written during the backup is complete or missing; each document written before is there.
    const kept = (await everything(other, theirs)).texts;
    expect(kept.length).toBeGreaterThanOrEqual(writtenBefore);
    for (const text of kept) expect(text).toMatch(/^# Note (\d+)\n\nText \1\.$/);
    const { total } = await until('their history goes on', async () => {
      const history = await other.get<{ total: number }>(`/v1/api/projects/${theirs}/history`);
      return history.total >= writtenBefore && history;
    });
    expect(total).toBeGreaterThanOrEqual(writtenBefore);
  }, 120_000);

  it('report the fault of a file and leave the folder empty', async () => {
    const file = join(outside, 'small.tar.gz');
    expect(await run(caudex.dataDir, 'backup', file)).toMatchObject({ code: 0 });
    expect(await run(caudex.dataDir, 'backup', file)).toMatchObject({
      code: 1,
      output: expect.stringContaining('exists; name a file'),
    });
    const half = join(outside, 'half.tar.gz');
    writeFileSync(half, readFileSync(file));
    truncateSync(half, Math.floor(statSync(half).size / 2));
    const text = join(outside, 'text.tar.gz');
    writeFileSync(text, 'no archive');
    const foreign = join(outside, 'foreign.tar.gz');
    await create({ file: foreign, gzip: true, cwd: outside }, ['text.tar.gz']);
    const empty = mkdtempSync(join(tmpdir(), 'caudex-restored-'));
    for (const wrong of [half, text, foreign]) {
      const { code, output } = await run(empty, 'restore', wrong);
      expect([code, output]).toEqual([1, expect.stringContaining(`${wrong} is no whole backup of caudex`)]);
      expect(readdirSync(empty)).toEqual([]);
    }
    expect(await run(empty, 'restore', join(outside, 'nothing'))).toMatchObject({
      code: 1,
      output: expect.stringContaining('does not exist'),
    });
    rmSync(empty, { recursive: true });
    const names: string[] = [];
    await list({ file, onReadEntry: ({ path }) => void names.push(path) });
    expect(names[0]).toBe('manifest.json');
    expect(names.filter((name) => /lock\.sqlite|-wal$|-shm$|chroma\/chromadb/.test(name))).toEqual([]);
  }, 60_000);
});
