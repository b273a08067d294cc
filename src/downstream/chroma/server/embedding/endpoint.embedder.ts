import { z } from 'zod';
import {
  guarded,
  GuardError,
  isClosed,
  outboundBreaker,
  type OutboundBreaker,
} from '../../../../resilience/policy/guarded.js';
import { normalised } from '../index/vectors.js';
import { type Embeddable, type Embedder, EmbeddingError } from './embedder.js';
import type { Prefixes } from './model-family.js';
import { postJson, StatusError } from './post-json.js';

const NAME = 'The embeddings endpoint';
const BATCH = 16;
/** A model on a few cores takes a third of a second for a passage, and several seconds to be loaded. */
const PASSAGES_TIMEOUT_MS = 20_000;
/** Models cut off what is longer; a passage seldom is. */
const MAX_CHARS = 8000;
/** Left of a caller's time for ranking by words, where the endpoint uses up the rest. */
const RESERVE_MS = 100;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});

export interface Endpoint {
  url: string;
  model: string;
  apiKey: string | undefined;
  prefixes: Prefixes;
  /** The longest that a question waits for its vector. */
  queryTimeoutMs: number;
  /** So long after a question got none, the endpoint is tried again. */
  recoveryMs?: number;
}

/** Any OpenAI-compatible `/embeddings` endpoint. */
export class EndpointEmbedder implements Embedder {
  /** Of questions: the first one without an answer is the last one that waits. */
  private readonly breaker: OutboundBreaker;
  private probing = false;

  constructor(private readonly endpoint: Endpoint) {
    this.breaker = outboundBreaker({ failures: 1, recoveryMs: endpoint.recoveryMs ?? 2000 });
  }

  async embed(passages: readonly Embeddable[]): Promise<Float32Array[]> {
    const texts = passages.map(({ title, text }) => (title === '' ? text : `${title}\n\n${text}`));
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += BATCH) {
      const input = texts.slice(at, at + BATCH).map((text) => cut(this.endpoint.prefixes.passage, text));
      const asking = guarded((signal) => this.ask(input, signal), { name: NAME, timeoutMs: PASSAGES_TIMEOUT_MS });
      vectors.push(...(await asking.catch(fail)));
    }
    return vectors;
  }

  /** While the endpoint is away no question waits for it: whether it is back is found out beside them. */
  async embedQuestion({ text }: Embeddable, deadlineMs: number): Promise<Float32Array> {
    if (isClosed(this.breaker)) {
      return this.askQuestion(text, deadlineMs - RESERVE_MS).catch(fail);
    }
    this.probe(text);
    throw new EmbeddingError('circuit_open', `${NAME} was not asked: it gave no answer a moment ago`);
  }

  /** A model that was trained on much text knows all words. */
  captured(): number {
    return 1;
  }

  private probe(text: string): void {
    if (this.probing) return;
    this.probing = true;
    this.askQuestion(text, Infinity)
      .catch(() => undefined)
      .finally(() => (this.probing = false));
  }

  private async askQuestion(text: string, deadlineMs: number): Promise<Float32Array> {
    const input = [cut(this.endpoint.prefixes.query, text)];
    const guard = { name: NAME, timeoutMs: this.endpoint.queryTimeoutMs, deadlineMs, breaker: this.breaker };
    // What the endpoint refuses says something of this question, and nothing of the next one.
    const work = (signal: AbortSignal) => this.ask(input, signal).catch(refusalOr);
    const answer = await guarded(work, guard);
    if (answer instanceof StatusError) throw answer;
    return answer[0] as Float32Array;
  }

  private async ask(input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const { url, model, apiKey } = this.endpoint;
    const body = { model, input, encoding_format: 'float' };
    const { data } = answerSchema.parse(await postJson(url, 'embeddings', body, apiKey, signal));
    const inOrder = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding);
    if (inOrder.length !== input.length) {
      throw new EmbeddingError('protocol', `${inOrder.length} vectors came for ${input.length} texts`);
    }
    return inOrder.map((embedding) => normalised(Float32Array.from(embedding)));
  }
}

function cut(prefix: string, text: string): string {
  return `${prefix}${text}`.slice(0, MAX_CHARS);
}

function refusalOr(error: unknown): StatusError {
  if (error instanceof StatusError && error.status < 500 && error.status !== 429) return error;
  throw error;
}

function fail(error: unknown): never {
  const message = `${NAME} gave no answer that can be used: ${error instanceof Error ? error.message : String(error)}`;
  throw new EmbeddingError(reasonOf(error), message);
}

function reasonOf(error: unknown): EmbeddingError['reason'] {
  if (error instanceof GuardError || error instanceof EmbeddingError) return error.reason;
  if (error instanceof StatusError) return error.status === 429 ? 'saturated' : 'fault';
  return error instanceof z.ZodError || error instanceof SyntaxError ? 'protocol' : 'unreachable';
}
