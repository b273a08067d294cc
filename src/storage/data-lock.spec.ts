import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataFolder } from './data-lock.js';

describe('lockDataFolder', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-lock-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it('refuses a second owner, with the name of the folder, until the first has released it', () => {
    const release = lockDataFolder(dir, 'backend');
    expect(() => lockDataFolder(dir, 'backend')).toThrow(
      `${join(dir, 'backend')} is in use by another backend process`,
    );
    lockDataFolder(dir, 'chroma')();
    release();
    lockDataFolder(dir, 'backend')();
  });

  it('is free after its owner was killed', async () => {
    lockDataFolder(dir, 'git')();
    const hold = `
      const { DatabaseSync } = require('node:sqlite');
      new DatabaseSync(process.argv[1]).exec('BEGIN EXCLUSIVE');
      console.log('held');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--no-warnings', '-e', hold, join(dir, 'git', 'lock.sqlite')]);
    await once(child.stdout, 'data');
    expect(() => lockDataFolder(dir, 'git')).toThrow('is in use');
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockDataFolder(dir, 'git')();
  });
});
