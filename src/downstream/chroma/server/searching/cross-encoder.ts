import { InferenceThread } from '../inference/inference-thread.js';
import { readModelFolder } from '../inference/model-folder.js';
import type { Judge } from './rerank-endpoint.js';

/** Longer texts take more time than a search has. */
const MAX_TOKENS = 256;

/** A model that reads a question and a passage together, in the ONNX format; it runs in a thread of this process. */
export class CrossEncoder implements Judge {
  /** A small model takes 30 ms for a passage on one core. */
  readonly depth = 12;
  private thread: InferenceThread | undefined;

  constructor(private readonly dir: string) {}

  async relevance(question: string, texts: readonly string[], signal: AbortSignal) {
    const thread = (this.thread ??= this.begin());
    const scores = texts.map(async (text, index) => {
      const [score = 0] = await thread.run(question, text, signal);
      return { index, score };
    });
    return Promise.all(scores);
  }

  async end(): Promise<void> {
    await this.thread?.end();
  }

  private begin(): InferenceThread {
    const { model, tokenizer, maxTokens } = readModelFolder(this.dir);
    const task = { model, tokenizer, maxTokens: Math.min(MAX_TOKENS, maxTokens), output: 'relevance' as const };
    return new InferenceThread(task);
  }
}
