import { execFile } from 'node:child_process';
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Caudex, type Person, until } from '../system/caudex.js';
import { FakeLlm, says } from '../system/fake-llm.js';

/** Where `.ci/clients` has installed the clients: packages of npm in `js`, a Python in `python`. */
const CLIENTS = process.env['CAUDEX_CLIENTS'];
const whereInstalled = CLIENTS === undefined ? describe.skip : describe;
const CLIENT_MS = 120_000;

const run = promisify(execFile);
const scripts = (folder: string) =>
  readdirSync(join(import.meta.dirname, folder)).filter((name) => !name.startsWith('given.'));

whereInstalled('the clients that people use', () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let project: string;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = (request, reply) => {
      const asksForJson = 'response_format' in request;
      return says(asksForJson ? '{"month":"September"}' : 'Pears ripen in September [1].')(request, reply);
    };
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake' });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nPears ripen in September.');
    await until('the document is indexed', async () => (await ann.search(project, 'pears')).source === 'hybrid');
    for (const folder of ['js', 'python']) {
      cpSync(join(import.meta.dirname, folder), join(String(CLIENTS), folder), { recursive: true });
    }
  }, 120_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  async function works(command: string, folder: string, script: string): Promise<void> {
    const env = { PATH: process.env['PATH'], CAUDEX_URL: caudex.url, CAUDEX_TOKEN: ann.token, CAUDEX_PROJECT: project };
    const cwd = join(String(CLIENTS), folder);
    await run(command, [script], { cwd, env, timeout: CLIENT_MS }).catch((error: unknown) => {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${script} failed:\n${stdout}\n${stderr}`.slice(-4000));
    });
  }

  it.each(scripts('js'))('work: %s', (script) => works(process.execPath, 'js', script), CLIENT_MS);
  it.each(scripts('python'))(
    'work: %s',
    (script) => works(join(String(CLIENTS), 'python/bin/python'), 'python', script),
    CLIENT_MS,
  );
});
