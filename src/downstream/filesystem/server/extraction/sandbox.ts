import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { extname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../../..');
const HEADERS = join(import.meta.dirname, `../../../../text/table-header${extname(import.meta.filename)}`);
/** The process may read its own code and packages, not the data of users; it may write no file and start no process. */
const MAY_READ = [import.meta.dirname, HEADERS, join(ROOT, 'package.json'), join(ROOT, 'node_modules')].map(
  (path) => `--allow-fs-read=${path}`,
);
const WATCH_MS = 50;

/**
 * Starts a file of this folder as a process that reads the files of users: with a bounded heap, without secrets in its
 * environment, and without access to data. It runs at a low priority, so that requests come first.
 */
export function startSandboxed(
  file: string,
  maxMemoryBytes: number,
  priority = constants.priority.PRIORITY_BELOW_NORMAL,
) {
  const child = fork(join(import.meta.dirname, `${file}${extname(import.meta.filename)}`), {
    execArgv: [
      `--max-old-space-size=${Math.floor(maxMemoryBytes / 2 ** 20)}`,
      '--permission',
      '--allow-worker',
      ...MAY_READ,
    ],
    env: {},
    serialization: 'advanced',
    stdio: 'ignore',
  });
  if (child.pid !== undefined) setPriority(child.pid, priority);
  return child;
}

/**
 * Calls `exceeded` when a process uses more memory than this. The heap limit does not cover memory outside of the heap,
 * such as the bytes of an unpacked stream.
 */
export function watchMemory(child: ChildProcess, maxMemoryBytes: number, exceeded: () => void): NodeJS.Timeout {
  return setInterval(() => residentBytes(child) > maxMemoryBytes && exceeded(), WATCH_MS);
}

/** How V8 ends a process whose heap is full, and the kernel one that used up the memory. */
export function isOutOfMemory(signal: NodeJS.Signals | null): boolean {
  return signal === 'SIGABRT' || signal === 'SIGKILL';
}

/** 0 where the system does not report it; only Linux does. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
