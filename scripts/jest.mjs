// Runs all Jest tests. A few test files that failed while others ran beside them are run once more, alone: their processes
// have time limits, which a busy machine can exceed. The output names these files, and a second failure is final.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** So many failing files have another cause than the load. */
const MAX_AGAIN = 6;

const folder = mkdtempSync(join(tmpdir(), 'caudex-jest-'));
const report = join(folder, 'report.json');
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
const run = (...args) => spawnSync(process.execPath, [...jest, ...args], { stdio: 'inherit' }).status ?? 1;

let status = run('--json', `--outputFile=${report}`, ...process.argv.slice(2));
const failed = status === 0 ? [] : failedFiles();
rmSync(folder, { recursive: true });
if (failed.length > 0 && failed.length <= MAX_AGAIN) {
  const names = failed.map((file) => relative(process.cwd(), file)).join('\n  ');
  console.log(`\nThese files failed beside others, and are run once more, alone:\n  ${names}\n`);
  status = run('--runInBand', '--runTestsByPath', ...failed);
}
process.exitCode = status;

/** None where Jest itself failed. */
function failedFiles() {
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    return testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  } catch {
    return [];
  }
}
