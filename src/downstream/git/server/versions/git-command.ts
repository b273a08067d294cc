import { spawn } from 'node:child_process';
import { devNull } from 'node:os';
import { childEnvironment } from '../../../../config/config.loader.js';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 25_000;

/** git said no; `message` is its own. */
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
  input?: string | Buffer;
  timeoutMs?: number;
  /** The one transport that may be used; without it none may. */
  protocol?: 'file' | 'https';
  /** Ends the command before its time. */
  signal?: AbortSignal;
}

/**
 * Runs one git command on a repository, without any configuration, hook or prompt of the machine's.
 * Whatever a person wrote goes in behind `--` or through `input`, never as an option.
 */
export function git(repository: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const { input = '', timeoutMs = TIMEOUT_MS, protocol, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-c', `core.hooksPath=${devNull}`, '--literal-pathspecs', ...args], {
      cwd: repository,
      env: childEnvironment({
        GIT_DIR: repository,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: devNull,
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: 'true',
        GIT_ALLOW_PROTOCOL: protocol ?? 'none',
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
      if (bytes > MAX_OUTPUT_BYTES) child.kill();
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4096)));
    child.on('error', (error) => {
      // Whoever ends a command waits until it is gone.
      if (signal?.aborted !== true) reject(new GitError(`git could not be started: ${error.message}`, null));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new GitError(reason(complaint) ?? `git ${args.join(' ')} ended with ${code}`, code));
    });
    // git may end before it has read everything; its exit code says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** What git says last, where it does not say what was fatal. */
function reason(complaint: string): string | undefined {
  return /^fatal: .*$/m.exec(complaint)?.[0] ?? (complaint.trim().split('\n').at(-1) || undefined);
}
