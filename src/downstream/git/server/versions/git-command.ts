import { spawn } from 'node:child_process';
import { devNull } from 'node:os';
import { childEnvironment } from '../../../../config/config.loader.js';
import { Problem } from '../../../../http/problem.js';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/** git failed; `message` is what it printed. */
export class GitError extends Error {
  constructor(
    message: string,
    readonly exitCode: number | null,
  ) {
    super(message);
    this.name = 'GitError';
  }
}

interface GitOptions {
  /** Full object names, HEAD and refs, with `^{commit}` or `:path` behind them; they stand behind `--end-of-options`. */
  revisions?: readonly string[];
  /** Paths or other operands; they are put after `--`. */
  operands?: readonly string[];
  input?: string | Buffer;
  timeoutMs?: number;
  /** The command is ended after this much output. */
  enoughBytes?: number;
  /** The only allowed transport; without it no transport is allowed. */
  protocol?: 'file' | 'https';
  /** Ends the command before its time. */
  signal?: AbortSignal | undefined;
}

/** What git prints for a disk or a quota without room. */
const FULL_DISK = /No space left on device|Out of diskspace|Disk quota exceeded/;
const OBJECT_NAME = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const REVISION =
  /^(?:[0-9a-f]{40}|[0-9a-f]{64}|HEAD|refs\/[A-Za-z0-9_][A-Za-z0-9._/-]*)(?:\^(?:0|\{commit\}))?(?::[^\0]*)?$/;
/** git 2.39 does not support `--end-of-options` here; {@link REVISION} matches no option. */
const WITHOUT_END_OF_OPTIONS = new Set(['blame']);

/** Whether a text is a full object name. Names in an imported repository's data can be anything. */
export function isObjectName(text: string): boolean {
  return OBJECT_NAME.test(text);
}

/**
 * Runs one git command on a repository, without the machine's configuration, hooks and prompts.
 * @param args the command and its options: constants of this program only, never input
 * @throws GitError; Problem 422 `too_much_for_git` where time or output exceed their limits, 507 `storage_full`
 */
export function git(repository: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { input = '', timeoutMs = TIMEOUT_MS, enoughBytes = Infinity, protocol, signal } = options;
  return new Promise((resolve, reject) => {
    const command = commandLine(args, options);
    const child = spawn('git', ['-c', `core.hooksPath=${devNull}`, '--literal-pathspecs', ...command], {
      cwd: repository,
      env: childEnvironment({
        GIT_DIR: repository,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: devNull,
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: 'true',
        GIT_ALLOW_PROTOCOL: protocol ?? 'none',
        // A source could configure a remote for missing objects, with a command to run.
        GIT_NO_LAZY_FETCH: '1',
        LC_ALL: 'C.UTF-8',
      }),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const out: Buffer[] = [];
    let bytes = 0;
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_OUTPUT_BYTES) out.push(chunk);
      if (bytes > Math.min(MAX_OUTPUT_BYTES, enoughBytes)) child.kill();
    });
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4096)));
    child.on('error', (error) => {
      // After an abort the promise settles when the process has ended.
      if (signal?.aborted !== true) reject(new GitError(`git could not be started: ${error.message}`, null));
    });
    child.on('close', (code) => {
      if (code === 0 || bytes > enoughBytes) resolve(Buffer.concat(out));
      else if (child.killed && signal?.aborted !== true) reject(tooMuch(args[0] ?? '', bytes, timeoutMs));
      else if (FULL_DISK.test(complaint)) reject(storageFull());
      else reject(new GitError(reason(complaint) ?? `git ${args[0]} ended with ${code}`, code));
    });
    // git may exit before it has read its input; its exit code is the reason.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** @throws GitError for a revision that git could take for anything else */
function commandLine(args: readonly string[], { revisions = [], operands }: GitOptions): string[] {
  for (const revision of revisions) {
    if (!REVISION.test(revision)) throw new GitError(`${JSON.stringify(revision)} is no revision`, null);
  }
  const end = revisions.length === 0 || WITHOUT_END_OF_OPTIONS.has(args[0] ?? '') ? [] : ['--end-of-options'];
  return [...args, ...end, ...revisions, ...(operands === undefined ? [] : ['--', ...operands])];
}

/** The requested texts are too large or too many, which is no fault of this server. */
function tooMuch(command: string, bytes: number, timeoutMs: number): Problem {
  const limit =
    bytes > MAX_OUTPUT_BYTES ? `gives more than ${MAX_OUTPUT_BYTES} bytes` : `takes longer than ${timeoutMs / 1000} s`;
  return new Problem({
    status: 422,
    code: 'too_much_for_git',
    detail: `"git ${command}" ${limit} here: the document or its history is too large for this.`,
  });
}

function storageFull(): Problem {
  const detail = 'There is no room left to store this; nothing was changed.';
  return new Problem({ status: 507, code: 'storage_full', detail });
}

/** The `fatal:` line of git's output, or else its last line. */
function reason(complaint: string): string | undefined {
  return /^fatal: .*$/m.exec(complaint)?.[0] ?? (complaint.trim().split('\n').at(-1) || undefined);
}
