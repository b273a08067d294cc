import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { InferenceAnswer, InferenceRequest } from './inference.worker.js';
import type { OnnxTask } from './onnx-model.js';

/** The model works, but fails for this text. */
export class TextError extends Error {}

interface Waiting {
  resolve: (output: Float32Array) => void;
  reject: (error: Error) => void;
}

interface Limits {
  /** A thread that has work and does not answer for this long counts as hung. */
  silenceMs?: number;
  /** A thread without work for this long is ended, to free its memory. */
  idleMs?: number;
}

/** The time for the first answer includes loading the model. */
const SILENCE_MS = 30_000;
/** Longer than a run takes. */
const END_MS = 3000;

/**
 * A model in a thread of its own, which is started by the first text. When the thread ends or hangs, waiting texts are
 * rejected, and the next text starts a new thread.
 */
export class InferenceThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  /** The texts that were sent to the thread, including cancelled ones. */
  private readonly unanswered = new Set<number>();
  private lastId = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly silenceMs: number;
  private readonly idleMs: number;

  constructor(
    private readonly task: OnnxTask,
    { silenceMs = SILENCE_MS, idleMs = Infinity }: Limits = {},
  ) {
    this.silenceMs = silenceMs;
    this.idleMs = idleMs;
  }

  /**
   * @throws Error where the model cannot be loaded, {@link TextError}, and the reason of the signal where it is aborted
   */
  run(text: string, pair?: string, signal?: AbortSignal): Promise<Float32Array> {
    signal?.throwIfAborted();
    const worker = (this.worker ??= this.begin());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const drop = () => {
        this.waiting.delete(id);
        this.tell(worker, { kind: 'drop', id });
        reject(signal?.reason as Error);
      };
      const settled = () => signal?.removeEventListener('abort', drop);
      this.waiting.set(id, {
        resolve: (output) => (settled(), resolve(output)),
        reject: (error) => (settled(), reject(error)),
      });
      signal?.addEventListener('abort', drop, { once: true });
      this.tell(worker, { kind: 'run', id, text, pair });
      this.unanswered.add(id);
      // Further texts do not extend the time without an answer.
      if (this.unanswered.size === 1) this.watch(worker);
    });
  }

  /** Ends the thread; waiting texts are rejected. */
  async end(): Promise<void> {
    const worker = this.worker;
    this.forget(worker, new Error('the model was put away'));
    if (worker !== undefined) await this.ended(worker);
  }

  private begin(): Worker {
    const worker = new Worker(join(import.meta.dirname, 'inference.worker.js'), { workerData: this.task });
    worker.unref();
    worker.on('message', (answer: InferenceAnswer) => {
      if (this.worker !== worker) return;
      this.unanswered.delete(answer.id);
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      this.watch(worker);
      if ('output' in answer) waiting?.resolve(answer.output);
      else waiting?.reject(new TextError(answer.error));
    });
    worker.once('error', (error) => this.forget(worker, error instanceof Error ? error : new Error(String(error))));
    worker.once('exit', (code) => this.forget(worker, new Error(`the thread of the model ended with ${code}`)));
    return worker;
  }

  /** Lets a run that is under way come to its end, because onnxruntime aborts the process otherwise; a hung one is cut off. */
  private async ended(worker: Worker): Promise<void> {
    this.tell(worker, { kind: 'end' });
    const late = setTimeout(() => void worker.terminate(), END_MS).unref();
    // `events.once` would reject for an error of the thread, which has been reported already.
    await new Promise((resolve) => worker.once('exit', resolve));
    clearTimeout(late);
  }

  private tell(worker: Worker, request: InferenceRequest): void {
    worker.postMessage(request);
  }

  /** Starts the timer for an answer, or for idleness. */
  private watch(worker: Worker): void {
    clearTimeout(this.timer);
    const [limitMs, what] =
      this.unanswered.size > 0 ? [this.silenceMs, 'gave no answer'] : [this.idleMs, 'had no work'];
    if (limitMs === Infinity) return;
    this.timer = setTimeout(() => {
      this.forget(worker, new Error(`the model ${what} for ${limitMs} ms`));
      void this.ended(worker);
    }, limitMs);
    this.timer.unref();
  }

  private forget(worker: Worker | undefined, error: Error): void {
    if (worker === undefined || this.worker !== worker) return;
    this.worker = undefined;
    clearTimeout(this.timer);
    this.unanswered.clear();
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
