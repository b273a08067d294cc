#!/usr/bin/env node
// Import only Node's own modules here until the version of Node is checked.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as modules from 'node:module';
import { join } from 'node:path';

const NEEDED_MAJOR = 24;
const BUNDLED_NODE = join(import.meta.dirname, '../node_modules/node/bin/node');

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // Compiling takes a fifth of a start; the cache avoids it. Where the cache cannot be written, Node compiles as usual.
  modules.enableCompileCache(join(import.meta.dirname, '.compile-cache'));
  const [command, ...operands] = process.argv.slice(2);
  if (command === 'sync') {
    // It runs on a person's machine, without the configuration of the servers, and without the time to load their code.
    const { sync } = await import('./sync/sync.js');
    await sync(operands);
  } else {
    const { run } = await import('./run.js');
    await run(process.argv.slice(2));
  }
} else if (existsSync(BUNDLED_NODE)) {
  runOnBundledNode();
} else {
  console.error(
    `caudex needs Node ${NEEDED_MAJOR}, this is ${process.versions.node}; "npm start" brings it along (its install script must be allowed to run).`,
  );
  process.exitCode = 1;
}

/** The child ends when this process ends in any way, because the IPC channel closes, see `run.ts`. */
function runOnBundledNode(): void {
  const child = fork(import.meta.filename, process.argv.slice(2), { execPath: BUNDLED_NODE, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}
