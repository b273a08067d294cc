import { z } from 'zod';
import { Problem } from '../../../../http/problem.js';
import type { Embeddable, Embedder } from './embedder.js';
import { normalised } from '../index/vectors.js';

const BATCH = 64;
const TIMEOUT_MS = 20_000;
/** Models cut off what is longer; a passage seldom is. */
const MAX_CHARS = 8000;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});

/** Any OpenAI-compatible `/embeddings` endpoint. */
export class EndpointEmbedder implements Embedder {
  constructor(
    private readonly url: string,
    private readonly model: string,
    private readonly apiKey: string | undefined,
  ) {}

  /** @throws Problem 503 `embeddings_unavailable` */
  async embed(texts: readonly Embeddable[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += BATCH) {
      const batch = texts.slice(at, at + BATCH).map(({ title, text }) => asOne(title, text));
      vectors.push(...(await this.ask(batch)));
    }
    return vectors;
  }

  /** A model that was trained on much text knows all words. */
  captured(): number {
    return 1;
  }

  private async ask(input: readonly string[]): Promise<Float32Array[]> {
    try {
      const body = { model: this.model, input, encoding_format: 'float' };
      const { data } = answerSchema.parse(await postJson(this.url, 'embeddings', body, this.apiKey, TIMEOUT_MS));
      const inOrder = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding);
      if (inOrder.length !== input.length) throw new Error(`${inOrder.length} vectors came for ${input.length} texts`);
      return inOrder.map((embedding) => normalised(Float32Array.from(embedding)));
    } catch (error) {
      throw new Problem({
        status: 503,
        code: 'embeddings_unavailable',
        detail: `The embeddings endpoint gave no answer that can be used: ${(error as Error).message}`,
        retryAfter: 2,
      });
    }
  }
}

function asOne(title: string, text: string): string {
  return (title === '' ? text : `${title}\n\n${text}`).slice(0, MAX_CHARS);
}

/** Posts to `path` below a base URL. @throws Error for anything but a 2xx answer with JSON in time */
export async function postJson(
  baseUrl: string,
  path: string,
  body: unknown,
  apiKey: string | undefined,
  timeoutMs: number,
): Promise<unknown> {
  const response = await fetch(`${baseUrl.replace(/(?<!\/)\/+$/, '')}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  return response.json();
}
