import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';
import type { Ranked } from '../../../../text/lexical-image.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { IndexStore } from '../index/index.store.js';
import { CrossEncoder } from './cross-encoder.js';
import { type Judge, RerankEndpoint } from './rerank-endpoint.js';

const TIMEOUT_MS = 2000;
const MAX_CHARS = 4000;

/**
 * Reorders the best passages by a model that reads each together with the question, where one is configured: a
 * `/rerank` endpoint, or a cross-encoder in a folder.
 */
@Injectable()
export class Reranker implements BeforeApplicationShutdown {
  private readonly judge: Judge | undefined;
  private readonly breaker = outboundBreaker({ failures: 2, recoveryMs: 10_000 });

  constructor(
    @InjectConfig() config: Config,
    private readonly store: IndexStore,
    private readonly log: PinoLogger,
  ) {
    const { url, model, model_dir } = config.chroma.reranker;
    if (url !== null) this.judge = new RerankEndpoint({ url, model, apiKey: config.secrets.reranker_api_key });
    else if (model_dir !== null) this.judge = new CrossEncoder(model_dir);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.judge?.end?.();
  }

  /** Returns the ranking unchanged where there is no model, or it fails. */
  async rerank(key: ProjectKey, query: string, ranked: readonly Ranked[]): Promise<readonly Ranked[]> {
    const { judge } = this;
    if (judge === undefined || ranked.length < 2) return ranked;
    const passages = this.store.passages.passages(
      key,
      ranked.slice(0, judge.depth).map(({ id }) => id),
    );
    const texts = passages.map(({ title, text }) => `${title}\n\n${text}`.slice(0, MAX_CHARS));
    try {
      const scores = await guarded((signal) => judge.relevance(query, texts, signal), {
        name: 'The reranker',
        timeoutMs: TIMEOUT_MS,
        breaker: this.breaker,
      });
      return inOrder(
        ranked,
        scores.map(({ index, score }) => ({ id: passages[index]?.id, score })),
      );
    } catch (error) {
      this.log.warn(`The reranker gave no answer that can be used: ${(error as Error).message}`);
      return ranked;
    }
  }
}

/** The scored passages first; their scores are raised above all others. */
function inOrder(ranked: readonly Ranked[], scores: readonly { id: number | undefined; score: number }[]): Ranked[] {
  const order = scores.toSorted((a, b) => b.score - a.score).flatMap(({ id }) => id ?? []);
  const judged = new Set(order);
  const top = ranked[0]?.score ?? 0;
  return [
    ...[...judged].map((id, place) => ({ id, score: top + 1 / (1 + place) })),
    ...ranked.filter(({ id }) => !judged.has(id)),
  ];
}
