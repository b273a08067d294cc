import { z } from 'zod';
import { EmbeddingError, TextRefused } from './embedder.js';
import { postJson, StatusError } from './post-json.js';
import type { TextCall, TextModel } from './text-model.js';

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});

export interface Endpoint {
  url: string;
  model: string;
  apiKey: string | undefined;
}

/** Any OpenAI-compatible `/embeddings` endpoint. */
export class EndpointModel implements TextModel {
  readonly label = 'The embeddings endpoint';

  constructor(private readonly endpoint: Endpoint) {}

  async vectors(input: readonly string[], { signal }: TextCall): Promise<Float32Array[]> {
    const { url, model, apiKey } = this.endpoint;
    const body = { model, input, encoding_format: 'float' };
    const answer = await postJson(url, 'embeddings', body, apiKey, signal).catch(fail);
    const { success, data: found, error } = answerSchema.safeParse(answer);
    if (!success) throw new EmbeddingError('protocol', error.message);
    const inOrder = found.data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding);
    if (inOrder.length !== input.length) {
      throw new EmbeddingError('protocol', `${inOrder.length} vectors came for ${input.length} texts`);
    }
    return inOrder.map((embedding) => Float32Array.from(embedding));
  }
}

function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SyntaxError) throw new EmbeddingError('protocol', message);
  if (!(error instanceof StatusError)) throw new EmbeddingError('unreachable', message);
  if (error.status === 429) throw new EmbeddingError('saturated', message);
  throw error.status < 500 ? new TextRefused('fault', message) : new EmbeddingError('fault', message);
}
