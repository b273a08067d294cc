// Runs before `npm start` and `npm test`, on whatever Node the machine has: installs and builds what is missing or stale.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
process.chdir(root);

/** sha256 over the names and contents of the given files and folders. */
function fingerprint(...paths) {
  const hash = createHash('sha256');
  const add = (path) => {
    const entries = existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) add(child);
      else if (!/\.spec\.tsx?$/.test(entry.name)) hash.update(child).update(readFileSync(child));
    }
  };
  for (const path of paths) {
    if (path.includes('.')) hash.update(path).update(readFileSync(path));
    else add(path);
  }
  return hash.digest('hex');
}

/** Runs the step when its inputs changed since it last succeeded; the stamp lies beside what the step makes. */
function step(title, stamp, inputs, ...command) {
  const wanted = fingerprint(...inputs);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log(`caudex: ${title} …`);
  // npm warns of each package's `engines` and scripts: that is of use only when the step fails.
  const { status, error, stdout, stderr } = spawnSync('npm', command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: Infinity,
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    console.error(`${stdout ?? ''}${stderr ?? ''}`);
    console.error(`caudex: "npm ${command.join(' ')}" failed${error ? `: ${error.message}` : ''}`);
    process.exit(status || 1);
  }
  writeFileSync(stamp, wanted);
}

step('installing', 'node_modules/.caudex-installed', ['package-lock.json'], 'ci', '--no-audit', '--no-fund');
step(
  'building the servers',
  'dist/.caudex-built',
  ['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'],
  'run',
  'build:server',
);
step(
  'building the page',
  'web/dist/.caudex-built',
  ['web/src', 'web/public', 'web/index.html', 'web/vite.config.ts', 'web/compressed.ts', 'package-lock.json'],
  'run',
  'build:web',
);
