import { InferenceThread, TextError } from '../inference/inference-thread.js';
import type { ModelFolder } from '../inference/model-folder.js';
import { EmbeddingError, TextRefused } from './embedder.js';
import { poolingOf } from './model-family.js';
import type { TextCall, TextModel } from './text-model.js';

/** A model in the ONNX format, run in a thread of this process. */
export class LocalModel implements TextModel {
  readonly label: string;
  private readonly thread: InferenceThread;

  constructor(folder: ModelFolder) {
    const { name, model, tokenizer, maxTokens, pooling } = folder;
    this.label = `The embedding model ${name}`;
    this.thread = new InferenceThread({ model, tokenizer, maxTokens, output: pooling ?? poolingOf(name) });
  }

  /** Loads the model. @throws Error where it cannot be loaded */
  async load(): Promise<void> {
    await this.thread.run('check', undefined, { urgent: true });
  }

  async vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]> {
    return Promise.all(texts.map((text) => this.vector(text, call)));
  }

  end(): Promise<void> {
    return this.thread.end();
  }

  /** In the background a text that the model refuses gets an empty vector: it must not keep back the others for ever. */
  private async vector(text: string, { urgent, signal }: TextCall): Promise<Float32Array> {
    try {
      return await this.thread.run(text, undefined, { urgent, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof TextError)) throw new EmbeddingError('fault', message);
      if (urgent) throw new TextRefused('fault', message);
      return new Float32Array(0);
    }
  }
}
