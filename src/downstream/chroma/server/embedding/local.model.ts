import { InferenceThread, TextError } from '../inference/inference-thread.js';
import type { ModelFolder } from '../inference/model-folder.js';
import { EmbeddingError, TextRefused } from './embedder.js';
import { poolingOf } from './model-family.js';
import type { TextCall, TextModel } from './text-model.js';

/** Passages arrive in bursts: the memory of their thread is released between them. */
const IDLE_MS = 60_000;

/**
 * A model in the ONNX format that runs in this process: one thread for questions, so that they do not wait for
 * passages, and one for passages.
 */
export class LocalModel implements TextModel {
  readonly label: string;
  private readonly questions: InferenceThread;
  private readonly passages: InferenceThread;

  constructor(folder: ModelFolder) {
    const { name, model, tokenizer, maxTokens, pooling } = folder;
    this.label = `The embedding model ${name}`;
    const task = { model, tokenizer, maxTokens, output: pooling ?? poolingOf(name) };
    this.questions = new InferenceThread(task);
    this.passages = new InferenceThread(task, { idleMs: IDLE_MS });
  }

  /** Loads the model. @throws Error where it cannot be loaded */
  async load(): Promise<void> {
    await this.questions.run('check');
  }

  async vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]> {
    return Promise.all(texts.map((text) => this.vector(text, call)));
  }

  async end(): Promise<void> {
    await Promise.all([this.questions.end(), this.passages.end()]);
  }

  /**
   * In the background, a text that the model refuses gets an empty vector, because it must not block the others for
   * ever.
   */
  private async vector(text: string, { urgent, signal }: TextCall): Promise<Float32Array> {
    try {
      return await (urgent ? this.questions : this.passages).run(text, undefined, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof TextError)) throw new EmbeddingError('fault', message);
      if (urgent) throw new TextRefused('fault', message);
      return new Float32Array(0);
    }
  }
}
