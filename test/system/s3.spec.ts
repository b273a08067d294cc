import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultProxy } from '../faults/fault-proxy.js';
import { Caudex, type Person, until } from './caudex.js';

const URL_ = process.env['S3_TEST_URL'];
/** The store's data folder, with one folder of files per bucket. */
const BUCKETS = process.env['S3_TEST_DATA'] ?? '';
const MAIN = join(process.env['CAUDEX_DIST'] ?? join(import.meta.dirname, '../../dist'), 'main.js');
if (URL_ === undefined) console.warn('S3_TEST_URL is not set (.ci/s3 sets it): documents on S3 are not tested');

(URL_ === undefined ? describe.skip : describe)('documents on S3', () => {
  const bucket = `caudex-${process.pid}`;
  let proxy: FaultProxy;
  let settings: Record<string, string>;
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    mkdirSync(join(BUCKETS, bucket));
    const { port } = new URL(String(URL_));
    proxy = await FaultProxy.start(() => Number(port), 100);
    settings = {
      CAUDEX__STORAGE__DOCUMENTS: 's3',
      CAUDEX__STORAGE__S3__ENDPOINT: proxy.url,
      CAUDEX__STORAGE__S3__BUCKET: bucket,
      CAUDEX__STORAGE__S3__PREFIX: 'team/one/',
      CAUDEX__STORAGE__S3__TIMEOUT_MS: '1000',
      S3_ACCESS_KEY_ID: String(process.env['S3_TEST_KEY']),
      S3_SECRET_ACCESS_KEY: String(process.env['S3_TEST_SECRET']),
    };
    caudex = await Caudex.start(settings);
    person = await caudex.signUp();
    project = await person.project();
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await proxy.stop();
    rmSync(join(BUCKETS, bucket), { recursive: true, force: true });
  });

  const filesBelow = (dir: string) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map((path) => join(dir, path))
      .filter((path) => statSync(path).isFile());
  const objects = () => filesBelow(join(BUCKETS, bucket, 'team/one/documents'));
  const holding = (text: string) => objects().filter((path) => readFileSync(path, 'utf8').includes(text));
  const put = (path: string, text: string) =>
    person.request('PUT', `/v1/api/projects/${project}/documents/${path}`, text, { 'content-type': 'text/markdown' });
  const textOf = async (path: string) =>
    (await person.request('GET', `/v1/api/projects/${project}/documents/${path}`)).text();
  const command = (dataDir: string, ...args: string[]) => run(dataDir, settings, ...args);

  it('are stored, read, replaced and deleted there, and none of them is on the disk of the server', async () => {
    await person.upload(project, 'pears.md', 'Williams pears ripen first.');
    expect(await textOf('pears.md')).toBe('Williams pears ripen first.');
    expect(holding('Williams pears ripen first.')).toHaveLength(1);
    await person.upload(project, 'pears.md', 'Conference pears ripen later.', 200);
    expect(holding('Williams')).toEqual([]);
    expect(await textOf('pears.md')).toBe('Conference pears ripen later.');
    await person.upload(project, 'gone.md', 'Soon gone.');
    await person.delete(`/v1/api/projects/${project}/documents/gone.md`);
    expect(holding('Soon gone.')).toEqual([]);
    expect(readdirSync(join(caudex.dataDir, 'filesystem'))).not.toContain('files');
    const other = await person.project();
    await person.upload(other, 'a.md', 'Of another project.');
    await person.delete(`/v1/api/projects/${other}`);
    await until('its object is removed', async () => holding('Of another project.').length === 0);
  }, 30_000);

  it('while the store is unavailable: uploads are refused by name, all other calls work, and no breaker opens', async () => {
    await person.upload(project, 'plums.md', 'Plums ripen in August.');
    await until('it is indexed', async () => (await person.search(project, 'plums')).source === 'hybrid');
    await proxy.suffer('refused');
    const refused = [];
    for (let i = 0; i < 7; i++) refused.push(await put(`new${i}.md`, 'New.'));
    for (const answer of refused) expect(answer.status).toBe(424);
    expect(await refused[0]?.json()).toMatchObject({ code: 'document_storage_unavailable' });
    expect((await caudex.breaker('filesystem')).state).toBe('closed');
    expect(await person.search(project, 'plums')).toMatchObject({ source: 'hybrid', outcome: 'found' });
    expect((await person.chat(project, 'When do plums ripen?')).response).toContain('August');
    await person.delete(`/v1/api/projects/${project}/documents/plums.md`);
    await proxy.heal();
    await until('uploads are taken again', async () => (await put('after.md', 'After.')).ok);
    const { documents } = await person.get<{ documents: { path: string }[] }>(`/v1/api/projects/${project}/documents`);
    expect(documents.map(({ path }) => path)).toEqual(['after.md', 'pears.md']);
  }, 60_000);

  it('are cleaned of leftovers at the start, and the server starts while the store is unavailable', async () => {
    const [some] = objects();
    writeFileSync(join(String(some), '../leftover'), 'Of an interrupted write.');
    await caudex.kill('filesystem', 'SIGTERM');
    await proxy.suffer('refused');
    await caudex.launch('filesystem');
    await proxy.heal();
    await caudex.kill('filesystem', 'SIGTERM');
    await caudex.launch('filesystem');
    expect(holding('Of an interrupted write.')).toEqual([]);
    expect(holding('Conference pears')).toHaveLength(1);
  }, 30_000);

  it('of another installation are not touched: the start is refused', async () => {
    const before = objects();
    const other = await startFails(settings);
    expect(other).toMatch(/storage\.s3\.prefix: .* holds the documents of another installation/);
    expect(objects()).toEqual(before);
    expect(await startFails({ ...settings, CAUDEX__STORAGE__S3__BUCKET: 'no-such-bucket' })).toContain(
      'storage.s3.bucket: there is no bucket at',
    );
    expect(await startFails({ ...settings, S3_SECRET_ACCESS_KEY: 'wrong' })).toContain(
      'S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY:',
    );
    const { CAUDEX__STORAGE__S3__BUCKET: _, ...without } = settings;
    expect(await startFails(without)).toContain('storage.s3.bucket: missing');
  }, 60_000);

  it('are moved to the disk and back by a command, also after an interruption', async () => {
    await caudex.kill('filesystem', 'SIGTERM');
    const toDisk = { CAUDEX__STORAGE__DOCUMENTS: 'disk' };
    expect(await run(caudex.dataDir, { ...settings, ...toDisk }, 'migrate-data')).toMatchObject({ code: 0 });
    const onDisk = filesBelow(join(caudex.dataDir, 'filesystem/files'));
    expect(onDisk).toHaveLength(objects().length);
    await caudex.launch('filesystem', toDisk);
    await until('it is asked again', async () => (await textOf('pears.md')) === 'Conference pears ripen later.');
    await caudex.kill('filesystem', 'SIGTERM');
    for (const path of objects().slice(1)) rmSync(path);
    const moved = await command(caudex.dataDir, 'migrate-data');
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.output).toContain(`${onDisk.length - 1} contents copied to s3, 1 were there already`);
    await caudex.launch('filesystem');
    await until('it is asked again', async () => (await textOf('pears.md')) === 'Conference pears ripen later.');
    const busy = await command(caudex.dataDir, 'migrate-data');
    expect(busy).toMatchObject({ code: 1 });
    expect(busy.output).toContain('is in use by another filesystem process');
  }, 60_000);
});

/** The output of a filesystem server that fails to start. */
async function startFails(settings: Record<string, string>): Promise<string> {
  const dataDir = join(BUCKETS, `../data-${process.pid}`);
  rmSync(dataDir, { recursive: true, force: true });
  const { code, output } = await run(dataDir, { ...settings, PORT: '0', HOST: '127.0.0.1' }, 'filesystem');
  rmSync(dataDir, { recursive: true, force: true });
  expect(code).toBe(1);
  return output;
}

const run = (dataDir: string, settings: Record<string, string>, ...args: string[]) =>
  new Promise<{ code: number; output: string }>((resolve) =>
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { PATH: process.env['PATH'], NODE_ENV: 'test', ...settings, DATA_DIR: dataDir }, timeout: 20_000 },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    ),
  );
