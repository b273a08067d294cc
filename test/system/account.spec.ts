import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBufferPromise } from 'yauzl';
import { Caudex, type ChatAnswer, type Person, until } from './caudex.js';
import { filesWith } from './files-with.js';

const MARKER = 'wombatmarkerxyz';
const PASSWORD = 'correct horse battery';
const LATIN = Buffer.from('Bl\xe4tter im \xdcberblick, Stra\xdfe', 'latin1');

type Files = Map<string, Buffer>;
interface Manifest {
  user: { email: string };
  projects: { project_id: string; folder: string }[];
  conversations: { file: string }[];
  missing: { what: string; reason: string }[];
}
interface Imported {
  projects: { project_id: string; name: string; documents: number; kept: number }[];
  conversations: number;
  failed: unknown[];
}

async function unzipped(bytes: Buffer): Promise<Files> {
  const zip = await fromBufferPromise(bytes, { autoClose: false });
  const files: Files = new Map();
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    files.set(entry.fileName, Buffer.concat(chunks));
  }
  return files;
}

const json = <T>(files: Files, name: string) => JSON.parse(String(files.get(name))) as T;

describe('an account', () => {
  let caudex: Caudex;
  let email: string;
  let person: Person;
  let project: string;
  let chat: ChatAnswer;

  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__HTTP__REQUEST_TIMEOUT_MS: '60000' });
  }, 60_000);
  afterAll(() => caudex.stop());

  beforeEach(async () => {
    email = `person${Math.random().toString(36).slice(2)}@example.org`;
    person = await caudex.signUp(email);
    project = await person.project('Birds & trees: "2026"');
    await person.upload(project, 'note.md', `# Note\n\nThe ${MARKER} lives on the island.`);
    await person.upload(project, 'note.md', `# Note\n\nThe ${MARKER} lives on the big island.`, 200);
    await person.upload(project, 'a', 'A file with the name of a folder.');
    await person.upload(project, 'a/b ü.md', 'Below it.\r\n');
    const put = await person.request('PUT', `/v1/api/projects/${project}/documents/latin.txt`, new Uint8Array(LATIN), {
      'content-type': 'text/plain; charset=iso-8859-1',
    });
    expect(put.status).toBe(201);
    await until('it is indexed', async () => (await person.search(project, MARKER)).source === 'hybrid');
    chat = await person.chat(project, 'Where does the animal of the note live on the island?');
    expect(chat.response).toContain(MARKER);
    await until('the turn is stored', async () => (await conversation(person)).turns.length === 1);
  });

  const conversation = (who: Person) =>
    who.get<{ title: string; turns: object[] }>(`/v1/api/conversations/${chat.conversation_id}?branch=all`);

  async function exported(who = person): Promise<{ bytes: Buffer; files: Files; manifest: Manifest }> {
    const answer = await who.request('GET', '/v1/api/account/export');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const files = await unzipped(bytes);
    return { bytes, files, manifest: json<Manifest>(files, 'caudex.json') };
  }

  async function imported(who: Person, bytes: Buffer, status = 200, type = 'application/zip'): Promise<Imported> {
    const headers = { 'content-type': type };
    const answer = await who.request('POST', '/v1/api/account/import', new Uint8Array(bytes), headers);
    expect(answer.status).toBe(status);
    return (await answer.json()) as Imported;
  }

  async function remove(who: Person, body: object, status: number): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const answer = await who.request('DELETE', '/v1/api/account', JSON.stringify(body), headers);
    expect([answer.status, answer.status === 204 ? '' : await answer.text()]).toEqual([status, expect.anything()]);
  }

  async function bytesOf(who: Person, projectId: string, path: string): Promise<Buffer> {
    const url = `/v1/api/projects/${projectId}/documents/${encodeURIComponent(path)}?original=true`;
    return Buffer.from(await (await who.request('GET', url)).arrayBuffer());
  }

  it('is exported as text and original, with histories, conversations, ledger, and keys without secrets', async () => {
    const { key } = await person.post<{ key: string }>('/v1/api/keys', { name: 'my key' }, 201);
    const turns = (await conversation(person)).turns;
    await until('the charge is there', async () => {
      return (await person.get<{ total: number }>('/v1/api/billing/usage')).total === 2;
    });
    await until('the history is there', async () => {
      return (await person.get<{ total: number }>(`/v1/api/projects/${project}/history`)).total === 5;
    });
    const { bytes, files, manifest } = await exported();
    expect(manifest).toMatchObject({ user: { email }, missing: [] });
    const folder = manifest.projects[0]?.folder ?? '';
    const names = [...files.keys()].filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
    expect(names.sort()).toEqual([
      '/documents/a/b ü.md',
      '/documents/a~',
      '/documents/latin.txt',
      '/documents/note.md',
      '/history.bundle',
      '/project.json',
      '/texts/latin.txt.txt',
    ]);
    expect(files.get(`${folder}/documents/latin.txt`)).toEqual(LATIN);
    expect(String(files.get(`${folder}/texts/latin.txt.txt`))).toBe('Blätter im Überblick, Straße');
    expect(String(files.get(`${folder}/documents/a/b ü.md`))).toBe('Below it.\r\n');
    expect(json<{ turns: object[] }>(files, `conversations/${chat.conversation_id}.json`).turns).toEqual(turns);
    expect(String(files.get(`conversations/${chat.conversation_id}.md`))).toContain('## Where does the animal');
    expect(json<{ rows: object[] }>(files, 'ledger.json').rows).toHaveLength(2);
    expect(json<{ keys: object[] }>(files, 'keys.json').keys).toMatchObject([{ name: 'my key' }]);
    expect(bytes.includes(key)).toBe(false);

    const dir = mkdtempSync(join(tmpdir(), 'caudex-bundle-'));
    writeFileSync(join(dir, 'history.bundle'), files.get(`${folder}/history.bundle`) ?? '');
    execFileSync('git', ['clone', '-q', '-b', 'main', join(dir, 'history.bundle'), join(dir, 'clone')], {
      stdio: 'pipe',
    });
    const log = execFileSync('git', ['-C', join(dir, 'clone'), 'log', '--format=%s', '--', 'note.md']).toString();
    expect(log.trim().split('\n')).toHaveLength(2);
    rmSync(dir, { recursive: true });
  }, 60_000);

  it('is imported into another one byte by byte, and a second import changes nothing', async () => {
    await person.request(
      'PUT',
      `/v1/api/conversations/${chat.conversation_id}/turns/${chat.message_id}/feedback`,
      JSON.stringify({ rating: 'up', note: 'right' }),
      { 'content-type': 'application/json' },
    );
    const { bytes } = await exported();
    const other = await caudex.signUp();
    const first = await imported(other, bytes);
    expect(first).toEqual({
      projects: [{ project_id: project, name: 'Birds & trees: "2026"', documents: 4, kept: 0, trash: 0 }],
      conversations: 1,
      failed: [],
    });
    for (const path of ['note.md', 'a', 'a/b ü.md', 'latin.txt']) {
      expect(await bytesOf(other, project, path)).toEqual(await bytesOf(person, project, path));
    }
    expect(await conversation(other)).toEqual({ ...(await conversation(person)) });
    await until('it is found', async () => (await other.search(project, MARKER)).results.length > 0);

    await other.upload(project, 'note.md', 'changed since', 200);
    await other.delete(`/v1/api/projects/${project}/documents/a`);
    expect((await imported(other, bytes)).projects).toEqual([{ ...first.projects[0], documents: 1, kept: 3 }]);
    expect((await bytesOf(other, project, 'note.md')).toString()).toBe('changed since');

    await other.delete(`/v1/api/projects/${project}`);
    await other.delete(`/v1/api/conversations/${chat.conversation_id}`).catch(() => undefined);
    const again = await imported(other, bytes, 200, 'application/octet-stream');
    expect(again).toMatchObject({ projects: [{ documents: 4, kept: 0 }], conversations: 1, failed: [] });
    const renewed = again.projects[0]?.project_id ?? '';
    expect(renewed).not.toBe(project);
    expect(await bytesOf(other, renewed, 'latin.txt')).toEqual(LATIN);
    expect((await imported(other, bytes)).projects).toMatchObject([{ project_id: renewed, documents: 0, kept: 4 }]);
  }, 60_000);

  it('is exported twice at a time at most', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => person.request('GET', '/v1/api/account/export')));
    const statuses = await Promise.all(answers.map(async (answer) => (await answer.arrayBuffer(), answer.status)));
    // One that begins after the end of another is let in.
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get('retry-after')).toBe('5');
    expect((await exported()).manifest.user.email).toBe(email);
  });

  it('brings its trash and the tags of documents along', async () => {
    const at = (id: string, rest: string) => `/v1/api/projects/${id}/${rest}`;
    const json = { 'content-type': 'application/json' };
    const tags = { path: 'note.md', tags: ['island', '2026'] };
    expect((await person.request('PUT', at(project, 'tags'), JSON.stringify(tags), json)).status).toBe(200);
    const ofTrashed = JSON.stringify({ path: 'latin.txt', tags: ['old'] });
    expect((await person.request('PUT', at(project, 'tags'), ofTrashed, json)).status).toBe(200);
    for (const path of ['latin.txt', 'a']) await person.delete(at(project, `documents/${path}?trash=true`));
    await person.upload(project, 'a', 'Another one of this name.');
    await person.delete(at(project, 'documents/a?trash=true'));
    type Trash = { documents: { path: string; version: string; deleted_at: string }[] };
    const { documents: trash } = await person.get<Trash>(at(project, 'trash'));
    expect(trash.map(({ path }) => path)).toEqual(['a', 'a', 'latin.txt']);

    const { bytes, manifest } = await exported();
    expect(manifest.missing).toEqual([]);
    const other = await caudex.signUp();
    const first = await imported(other, bytes);
    expect(first).toMatchObject({ projects: [{ documents: 2, kept: 0, trash: 3 }], failed: [] });
    expect((await imported(other, bytes)).projects).toMatchObject([{ documents: 0, kept: 2, trash: 0 }]);
    expect((await other.get<Trash>(at(project, 'trash'))).documents).toMatchObject(
      trash.map(({ path, version, deleted_at }) => ({ path, version, deleted_at })),
    );
    const { documents } = await other.get<{ documents: { path: string; tags?: string[] }[] }>(at(project, 'documents'));
    expect(documents.find(({ path }) => path === 'note.md')?.tags).toEqual(['island', '2026']);
    await until('it is found by its tag', async () => (await other.search(project, 'tag:island')).total > 0);

    await other.post(at(project, 'trash/restore'), { path: 'latin.txt' });
    expect(await bytesOf(other, project, 'latin.txt')).toEqual(LATIN);
    await until('its tag came along', async () => (await other.search(project, 'tag:old')).total > 0);
    await other.post(at(project, 'trash/restore'), { path: 'a', version: trash[1]?.version });
    expect(String(await bytesOf(other, project, 'a'))).toBe('A file with the name of a folder.');
  }, 60_000);

  it('refuses what is not an export', async () => {
    const { bytes } = await exported();
    expect(await imported(person, Buffer.from('no zip'), 400)).toMatchObject({ code: 'invalid_archive' });
    expect(await imported(person, bytes.subarray(0, bytes.length / 2), 400)).toMatchObject({ code: 'invalid_archive' });
    const answer = await person.request('POST', '/v1/api/account/import', '{}', { 'content-type': 'application/json' });
    expect(answer.status).toBe(415);
    const { key } = await person.post<{ key: string }>('/v1/api/keys', { name: 'k' }, 201);
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${caudex.url}/v1/api/account/export`, { headers })).status).toBe(403);
    expect(readdirSync(join(caudex.dataDir, 'backend', 'received'))).toEqual([]);
  }, 30_000);

  it('is exported without the data of an unavailable server, which the manifest names; without filesystem it is not', async () => {
    await Promise.all([caudex.kill('billing'), caudex.kill('git')]);
    const { manifest, files } = await exported();
    expect(manifest.missing.map(({ what }) => what)).toEqual([
      'ledger.json',
      `${manifest.projects[0]?.folder}/history.bundle`,
    ]);
    expect(files.has('keys.json')).toBe(true);
    await caudex.kill('filesystem');
    const answer = await person.request('GET', '/v1/api/account/export');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
    await Promise.all([caudex.launch('billing'), caudex.launch('git'), caudex.launch('filesystem')]);
    await until('they are back', async () => (await exported()).manifest.missing.length === 0);
  }, 60_000);

  async function expectNothingLeft({ dataDir }: Caudex, text: string): Promise<void> {
    await until(`no file holds ${text}`, async () => filesWith(dataDir, text).length === 0, 20_000).catch(() =>
      expect(filesWith(dataDir, text)).toEqual([]),
    );
  }

  it('is deleted for good with its sessions, its keys and every trace in the data folder', async () => {
    const { key } = await person.post<{ key: string }>('/v1/api/keys', { name: 'k' }, 201);
    expect(filesWith(caudex.dataDir, email)).not.toEqual([]);
    await remove(person, { confirm: 'somebody@example.org', password: PASSWORD }, 422);
    await remove(person, { confirm: email, password: 'a wrong password' }, 401);
    await remove(person, {}, 400);
    expect((await person.get<{ total: number }>('/v1/api/projects')).total).toBe(1);
    await remove(person, { confirm: ` ${email.toUpperCase()}`, password: PASSWORD }, 204);
    await person.get('/v1/api/projects', 401);
    await person.get(`/v1/api/chat/${chat.message_id}/stream`, 401);
    const withKey = { headers: { authorization: `Bearer ${key}` } };
    expect((await fetch(`${caudex.url}/v1/api/projects`, withKey)).status).toBe(401);
    const anybody = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const body = JSON.stringify({ email, password: PASSWORD });
    expect((await fetch(`${caudex.url}/v1/api/auth/login`, { ...anybody, body })).status).toBe(401);
    await expectNothingLeft(caudex, email);
    const again = await caudex.signUp(email);
    expect((await again.get<{ total: number }>('/v1/api/projects')).total).toBe(0);
    await remove(again, { confirm: email }, 204);
  }, 60_000);

  it('is deleted through the outage of all servers but auth, and the kill of the backend', async () => {
    const alone = await Caudex.start({ CAUDEX__AUTH__FRESH_SESSION_MS: '1' });
    try {
      const owner = await alone.signUp(email);
      const notes = await owner.project();
      await owner.upload(notes, 'note.md', `# Note\n\nThe ${MARKER} lives on the island.`);
      await owner.chat(notes, `Where does the ${MARKER} live?`);
      await alone.kill('auth');
      await remove(owner, { confirm: email, password: PASSWORD }, 503);
      await alone.launch('auth');
      await until('auth is back', async () => (await owner.request('GET', '/v1/api/projects')).status === 200);
      const others = ['filesystem', 'billing', 'chroma', 'git'] as const;
      for (const app of others) await alone.kill(app);
      await remove(owner, { confirm: email }, 403);
      await remove(owner, { confirm: email, password: PASSWORD }, 204);
      await owner.get('/v1/api/projects', 401);
      await alone.kill('backend');
      for (const app of [...others, 'backend'] as const) await alone.launch(app);
      for (const text of [MARKER, email]) await expectNothingLeft(alone, text);
    } finally {
      await alone.stop();
    }
  }, 120_000);
});
