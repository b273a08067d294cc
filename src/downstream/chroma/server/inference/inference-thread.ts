import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { InferenceAnswer, InferenceRequest } from './inference.worker.js';
import type { OnnxTask } from './onnx-model.js';

/** The model runs, but not with this text. */
export class TextError extends Error {}

interface Waiting {
  resolve: (output: Float32Array) => void;
  reject: (error: Error) => void;
}

export interface RunOptions {
  /** Goes before all that are not. */
  urgent?: boolean;
  signal?: AbortSignal;
}

/** A thread with work that answers nothing for this long is taken for hung. It may be loading its model. */
const SILENCE_MS = 30_000;

/**
 * A model in a thread of its own, begun with the first text. When the thread ends or hangs, what waits is rejected, and the next
 * text begins another one.
 */
export class InferenceThread {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    private readonly task: OnnxTask,
    private readonly silenceMs = SILENCE_MS,
  ) {}

  /** @throws Error where the model cannot be loaded, {@link TextError}, and the reason of the signal when it is aborted */
  run(text: string, pair?: string, { urgent = false, signal }: RunOptions = {}): Promise<Float32Array> {
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
      this.tell(worker, { kind: 'run', id, text, pair, urgent });
      if (this.watchdog === undefined) this.watch(worker);
    });
  }

  /** Ends the thread; what waits is rejected. */
  async end(): Promise<void> {
    const worker = this.worker;
    this.forget(worker, new Error('the model was put away'));
    await worker?.terminate();
  }

  private begin(): Worker {
    const worker = new Worker(join(import.meta.dirname, 'inference.worker.js'), { workerData: this.task });
    worker.unref();
    worker.on('message', (answer: InferenceAnswer) => {
      this.watch(worker);
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if ('output' in answer) waiting?.resolve(answer.output);
      else waiting?.reject(new TextError(answer.error));
    });
    worker.once('error', (error) => this.forget(worker, error instanceof Error ? error : new Error(String(error))));
    worker.once('exit', (code) => this.forget(worker, new Error(`the thread of the model ended with ${code}`)));
    return worker;
  }

  private tell(worker: Worker, request: InferenceRequest): void {
    worker.postMessage(request);
  }

  /** Begins to wait anew for a sign of life, where there is work. */
  private watch(worker: Worker): void {
    clearTimeout(this.watchdog);
    this.watchdog = undefined;
    if (this.worker !== worker || this.waiting.size === 0) return;
    this.watchdog = setTimeout(() => {
      this.forget(worker, new Error(`the model gave no answer for ${this.silenceMs} ms`));
      void worker.terminate();
    }, this.silenceMs);
    this.watchdog.unref();
  }

  private forget(worker: Worker | undefined, error: Error): void {
    if (worker === undefined || this.worker !== worker) return;
    this.worker = undefined;
    clearTimeout(this.watchdog);
    this.watchdog = undefined;
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of all) reject(error);
  }
}
