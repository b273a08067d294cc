// Runs all Jest tests. A few test files that failed while others ran beside them are run again, alone, twice at most: their
// processes have time limits, which a busy machine can exceed. The output names these files; the last run decides.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** More failing files than this have another cause than the load. */
const MAX_AGAIN = 6;
const TIMES_AGAIN = 2;

const folder = mkdtempSync(join(tmpdir(), 'caudex-jest-'));
const report = join(folder, 'report.json');
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

let { status, failed } = run(...process.argv.slice(2));
for (let i = 0; i < TIMES_AGAIN && failed.length > 0 && failed.length <= MAX_AGAIN; i++) {
  const names = failed.map((file) => relative(process.cwd(), file)).join('\n  ');
  console.log(`\nThese files failed, and are run again, alone:\n  ${names}\n`);
  ({ status, failed } = run('--runInBand', '--runTestsByPath', ...failed));
}
rmSync(folder, { recursive: true });
process.exitCode = status;

/** @returns the exit status, and the files that failed; none where Jest itself failed */
function run(...args) {
  rmSync(report, { force: true });
  const all = [...jest, '--json', `--outputFile=${report}`, ...args];
  const status = spawnSync(process.execPath, all, { stdio: 'inherit' }).status ?? 1;
  return { status, failed: status === 0 ? [] : failedFiles() };
}

function failedFiles() {
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  } catch {
    return [];
  }
}
