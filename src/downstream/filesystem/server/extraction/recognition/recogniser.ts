import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { startSandboxed, watchMemory } from '../sandbox.js';
import type { RecognitionJob, RecognitionMessage } from './recognition.child.js';

export interface RecogniserLimits {
  languages: string[];
  pageTimeoutMs: number;
  maxMemoryBytes: number;
}
export type RecognisedPage = Omit<Extract<RecognitionMessage, { kind: 'page' }>, 'kind'>;

/** How a turn ended. */
export type TurnEnd =
  /** All pages were read. */
  | { kind: 'done' }
  /** The time of the turn was over. */
  | { kind: 'paused' }
  /** The file can not be opened. */
  | { kind: 'fault'; why: string }
  /** The process ended, or had to be ended, while it read this page; page 0: while it opened the file. */
  | { kind: 'stuck'; page: number; why: string };

/** The time for starting the process and loading the languages. */
const START_MS = 30_000;

/** Recognises the text of pictures in separate processes, with limits of time and memory for each page. */
export class Recogniser {
  private readonly children = new Set<ChildProcess>();

  constructor(private readonly limits: RecogniserLimits) {}

  /** Reads pages of a file for about `turnMs`; `onOpened` gets the pages that will be read, `onPage` each result. */
  async turn(
    job: Pick<RecognitionJob, 'content' | 'format' | 'pages'>,
    turnMs: number,
    onOpened: (pages: readonly number[]) => void,
    onPage: (page: RecognisedPage) => void,
  ): Promise<TurnEnd> {
    const { languages, pageTimeoutMs, maxMemoryBytes } = this.limits;
    const untilMs = performance.now() + turnMs;
    const child = startSandboxed('recognition/recognition.child', maxMemoryBytes, constants.priority.PRIORITY_LOW);
    this.children.add(child);
    let left: number[] = [];
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    return new Promise<TurnEnd>((resolve, reject) => {
      const stuck = (why: string) => resolve({ kind: 'stuck', page: left[0] ?? 0, why });
      const limit = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => stuck(`it took longer than ${ms} ms`), ms);
      };
      limit(START_MS + pageTimeoutMs);
      watch = watchMemory(child, maxMemoryBytes, () => stuck(`it takes more than ${maxMemoryBytes} bytes of memory`));
      child.once('error', reject);
      child.once('exit', (code, signal) => stuck(`the process that reads it ended (${code ?? signal})`));
      child.on('message', (message: RecognitionMessage) => {
        if (message.kind === 'done' || message.kind === 'fault') return resolve(message);
        if (message.kind === 'opened') {
          left = [...message.pages];
          onOpened(message.pages);
        } else {
          left.shift();
          onPage(message);
          if (left.length > 0 && performance.now() >= untilMs) resolve({ kind: 'paused' });
        }
        limit(pageTimeoutMs);
      });
      child.send(
        { ...job, languages, pageTimeoutMs } satisfies RecognitionJob,
        (error) => error !== null && reject(error),
      );
    }).finally(() => {
      clearTimeout(timer);
      clearInterval(watch);
      child.kill('SIGKILL');
      this.children.delete(child);
    });
  }

  stop(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }
}
