import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import type { Ranked } from '../../../../text/lexical-image.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';
import { postJson } from '../embedding/post-json.js';
import { IndexStore } from '../index/index.store.js';

/** So many of the best are looked at again. */
const DEPTH = 40;
const TIMEOUT_MS = 2000;
const MAX_CHARS = 4000;

const answerSchema = z.object({
  results: z.array(
    z.object({
      index: z
        .int()
        .min(0)
        .max(DEPTH - 1),
      relevance_score: z.number(),
    }),
  ),
});

/** Puts the best passages in the order of a `/rerank` endpoint (the shape that Cohere, Jina, vLLM and TEI share), where there is one. */
@Injectable()
export class Reranker {
  private readonly breaker = outboundBreaker({ failures: 2, recoveryMs: 10_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly store: IndexStore,
    private readonly log: PinoLogger,
  ) {}

  /** The same ranking where there is no endpoint, or it fails: it costs nothing but itself. */
  async rerank(key: ProjectKey, query: string, ranked: readonly Ranked[]): Promise<readonly Ranked[]> {
    const { url, model } = this.config.chroma.reranker;
    if (url === null || ranked.length < 2) return ranked;
    const passages = this.store.passages.passages(
      key,
      ranked.slice(0, DEPTH).map(({ id }) => id),
    );
    const documents = passages.map(({ title, text }) => `${title}\n\n${text}`.slice(0, MAX_CHARS));
    try {
      const body = { ...(model === null ? {} : { model }), query, documents, top_n: documents.length };
      const apiKey = this.config.secrets.reranker_api_key;
      const answer = await guarded((signal) => postJson(url, 'rerank', body, apiKey, signal), {
        name: 'The reranker',
        timeoutMs: TIMEOUT_MS,
        breaker: this.breaker,
      });
      return inOrder(
        ranked,
        passages.map(({ id }) => id),
        answerSchema.parse(answer).results,
      );
    } catch (error) {
      this.log.warn(`The reranker gave no answer that can be used: ${(error as Error).message}`);
      return ranked;
    }
  }
}

/** The judged ones first, above all others also by their scores. */
function inOrder(
  ranked: readonly Ranked[],
  ids: readonly number[],
  results: readonly { index: number; relevance_score: number }[],
): Ranked[] {
  const order = results
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .flatMap(({ index }) => ids[index] ?? []);
  const judged = new Set(order);
  const top = ranked[0]?.score ?? 0;
  return [
    ...[...judged].map((id, place) => ({ id, score: top + 1 / (1 + place) })),
    ...ranked.filter(({ id }) => !judged.has(id)),
  ];
}
