import type { ModelRequest } from '../../config/config.schema.js';
import type { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { refusalKind } from '../../resilience/report/model-refusal.js';
import type { ReadingStyle } from './completion/completion-event.js';

/** One message of a conversation, as it goes to a model. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Sampling parameters of the client, for the endpoints that accept them. */
export interface Sampling {
  temperature?: number | undefined;
  top_p?: number | undefined;
  seed?: number | undefined;
  presence_penalty?: number | undefined;
  frequency_penalty?: number | undefined;
  verbosity?: string | undefined;
  stop?: string | string[] | undefined;
  response_format?: unknown;
  max_tokens?: number | undefined;
  reasoning_effort?: string | undefined;
}

/** The names of models whose prompt templates open the block of thinking: DeepSeek-R1, QwQ, Qwen3-…-Thinking-2507. */
const OPENS_THINKING = /(?<![a-z\d])(deepseek-?r1|qwq|thinking-\d{4})(?![a-z\d])/i;
const UNKNOWN = /unsupported|not supported|unknown|unrecognized|unexpected|extra|not permitted|not allowed|invalid/i;

/**
 * The request parameters that a model's endpoint accepts: those configured, adapted by its refusals since the start.
 * Newer models refuse `max_tokens`, many servers `stream_options`, thinking models a temperature.
 */
export class ModelDialect {
  private readonly left = new Set<string>();
  private tokenLimit: ModelRequest['token_limit'];
  /** Whether the model has been observed to think before it answers. */
  private thinks = false;
  readonly style: ReadingStyle;

  constructor(
    private readonly request: ModelRequest,
    model: string,
  ) {
    this.tokenLimit = request.token_limit;
    const { opens_thinking: opens } = request;
    this.style = { opensThinking: opens === 'auto' ? OPENS_THINKING.test(model) : opens };
  }

  get headers(): Record<string, string> {
    return this.request.headers;
  }

  /** The body of a request. `maxTokens` is for the answer; a model that thinks gets further tokens for its thinking. */
  body(model: string, messages: readonly ChatMessage[], maxTokens: number, sampling: Sampling): object {
    const { reasoning_tokens, reasoning_effort, temperature, stream_options, body } = this.request;
    const { max_tokens = maxTokens, ...asked } = sampling;
    const limit = Math.min(max_tokens, maxTokens) + (this.thinks ? reasoning_tokens : 0);
    const fields: Record<string, unknown> = {
      model,
      messages,
      [this.tokenLimit]: limit,
      stream: true,
      ...(stream_options ? { stream_options: { include_usage: true } } : {}),
      ...(temperature === null ? {} : { temperature }),
      ...(reasoning_effort === null ? {} : { reasoning_effort }),
      ...asked,
      ...body,
    };
    return Object.fromEntries(
      Object.entries(fields).filter(([name, value]) => value !== undefined && !this.left.has(name)),
    );
  }

  /**
   * Records that the model thinks: from now on its answers get further tokens for that. @returns whether this is new
   */
  learnThinking(): boolean {
    const news = !this.thinks;
    this.thinks = true;
    return news;
  }

  /** Learns from a refusal that names a parameter. @returns whether a further try is useful */
  learn(error: DownstreamError): boolean {
    const { message } = error;
    if (!refusesField(error) || !UNKNOWN.test(message)) return false;
    const other = this.tokenLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
    if (names(message, this.tokenLimit) && !this.left.has(other)) {
      this.left.add(this.tokenLimit);
      this.tokenLimit = other;
      return true;
    }
    for (const field of ['stream_options', 'temperature', 'top_p', 'seed', 'reasoning_effort']) {
      if (names(message, field) && !this.left.has(field)) {
        this.left.add(field);
        return true;
      }
    }
    return false;
  }

  /** The parameter of the client that a refusal names, if it is one that must not be left out. */
  refusedField(error: DownstreamError, sampling: Sampling): string | undefined {
    if (!refusesField(error)) return undefined;
    const asked = Object.entries(sampling).filter(([, value]) => value !== undefined);
    const isJson = /json_?(schema|object)/i.test(error.message);
    return asked
      .map(([field]) => field)
      .find((field) => names(error.message, field) || (isJson && field === JSON_FIELD));
  }
}

const JSON_FIELD = 'response_format';

const refusesField = (error: DownstreamError) =>
  (error.status === 400 || error.status === 422) && refusalKind(error) !== 'prompt_too_long';

const names = (message: string, field: string) => new RegExp(`(?<![a-z_])${field}(?![a-z_])`).test(message);
