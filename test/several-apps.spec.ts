import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const dataDir = mkdtempSync(join(tmpdir(), 'caudex-several-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

function start(names: string[], settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', './test/typescript.mjs', 'src/main.ts', ...names], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      DATA_DIR: dataDir,
      CAUDEX__PORTS__AUTH: '0',
      CAUDEX__PORTS__BILLING: '0',
      ...settings,
    },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, said })) };
}

it('starts every named app, each on its own port, and stops them together', async () => {
  const { child, ended } = start(['auth', 'billing']);
  const ready: { ready: string; port: number }[] = [];
  child.on('message', (message) => ready.push(message as { ready: string; port: number }));
  while (ready.length < 2)
    await Promise.race([once(child, 'message'), ended.then((how) => Promise.reject(new Error(how.said)))]);
  expect(ready.map((message) => message.ready)).toEqual(['auth', 'billing']);
  for (const { port } of ready) expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, said: '' });
});

it('names the setting for the port of an app whose port is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { ended } = start(['auth', 'billing'], { CAUDEX__PORTS__BILLING: String(port) });
  expect(await ended).toEqual({
    code: 1,
    said: `caudex: port ${port} is in use; stop what listens there or set PORT (of one of several apps CAUDEX__PORTS__<NAME>)\n`,
  });
  taken.close();
});

it.each([
  [
    'a PORT for more than one',
    ['auth', 'billing'],
    { PORT: '7000' },
    "caudex: PORT: 7000 can't be the port of auth and billing; unset it and set the port of each, for instance CAUDEX__PORTS__AUTH\n",
  ],
  [
    'a name twice',
    ['auth', 'auth'],
    {},
    'caudex: usage: node dist/main.js all | check | migrate | migrate-data [postgres|sqlite|documents] | backup FILE | restore FILE | export-accounts FILE | invite EMAIL | grant EMAIL CREDITS | sync DIR --project NAME, or one or more of backend, auth, filesystem, chroma, billing, git, each once; got "auth auth"\n',
  ],
  [
    'a name that is none',
    ['auth', 'mail'],
    {},
    'caudex: usage: node dist/main.js all | check | migrate | migrate-data [postgres|sqlite|documents] | backup FILE | restore FILE | export-accounts FILE | invite EMAIL | grant EMAIL CREDITS | sync DIR --project NAME, or one or more of backend, auth, filesystem, chroma, billing, git, each once; got "auth mail"\n',
  ],
])('refuses %s', async (_, names, settings: Record<string, string>, said) => {
  expect(await start(names, settings).ended).toEqual({ code: 1, said });
});
