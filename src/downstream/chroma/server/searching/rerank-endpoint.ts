import { z } from 'zod';
import { postJson } from '../embedding/post-json.js';

/** Scores how well passages answer a question. */
export interface Judge {
  /** How many of the best passages are scored again. */
  readonly depth: number;

  /** A score for some or all of the texts, by their index. @throws Error */
  relevance(
    question: string,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly { index: number; score: number }[]>;

  end?(): Promise<void>;
}

const answerSchema = z.object({
  results: z.array(z.object({ index: z.int().min(0), relevance_score: z.number() })),
});

/** A `/rerank` endpoint in the shape that Cohere, Jina, vLLM and TEI share. */
export class RerankEndpoint implements Judge {
  readonly depth = 40;

  constructor(private readonly endpoint: { url: string; model: string | null; apiKey: string | undefined }) {}

  async relevance(query: string, documents: readonly string[], signal: AbortSignal) {
    const { url, model, apiKey } = this.endpoint;
    const body = { ...(model === null ? {} : { model }), query, documents, top_n: documents.length };
    const { results } = answerSchema.parse(await postJson(url, 'rerank', body, apiKey, signal));
    return results.map(({ index, relevance_score: score }) => ({ index, score }));
  }
}
