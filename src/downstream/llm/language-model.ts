import type { ClientName, ModelRequest } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { refusalKind } from '../../resilience/report/model-refusal.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';
import type { CompletionEvent } from './completion/completion-event.js';
import { decodeCompletion } from './completion/decode-completion.js';
import { type ChatMessage, ModelDialect, type Sampling } from './model-dialect.js';

const PATH = '/chat/completions';
/** The pause after a 429 without Retry-After, and after a spent quota. */
const REST_MS = 1000;
const QUOTA_REST_MS = 60_000;
/** A longer rest is cut, because a limit may be raised meanwhile. */
const MAX_REST_MS = 3_600_000;
/** After so many measured first parts the time limit is adapted to the measured times. */
const SAMPLES = 50;
const FEW_SAMPLES = 5;

export interface ModelCall {
  messages: readonly ChatMessage[];
  /** The limit of the answer's tokens. */
  maxTokens: number;
  sampling: Sampling;
  /** false: only one attempt is made. */
  repeatable: boolean;
}

/** A model behind an OpenAI-compatible `/chat/completions`, streamed. */
export class LanguageModel {
  readonly dialect: ModelDialect;
  private restsUntilMs = 0;
  private readonly firstPartsMs: number[] = [];
  /** `/v1` after it was found that the base address lacks it. */
  private prefix = '';

  constructor(
    readonly name: string,
    private readonly client: ResilientClient,
    request: ModelRequest,
  ) {
    this.dialect = new ModelDialect(request, name);
  }

  get service(): ClientName {
    return this.client.service;
  }

  /** Whether the endpoint refuses calls because of the configuration: its key, its model name or its parameters. */
  get isMisconfigured(): boolean {
    return this.client.status().misconfigured;
  }

  /** For how many more milliseconds the endpoint must not be called (429); 0: it may be called. */
  get restingMs(): number {
    return Math.max(0, this.restsUntilMs - performance.now());
  }

  /** The 95th percentile of the time to the first part; undefined while too few were measured. */
  get firstPartP95Ms(): number | undefined {
    if (this.firstPartsMs.length < FEW_SAMPLES) return undefined;
    const sorted = this.firstPartsMs.toSorted((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.95) - 1];
  }

  /**
   * Resolves with the first part, and fails only before it. Leaving the loop stops the model. If the endpoint refuses a
   * parameter, the call is repeated without it, and so are later calls; a parameter that changes what the client gets back
   * (`stop`, `response_format`) is never left out, and its refusal has the code `unsupported_parameter`.
   * @throws DownstreamError
   */
  async stream(call: ModelCall, context: CallContext): Promise<AsyncIterable<CompletionEvent>> {
    const beganMs = performance.now();
    try {
      const events = await this.asked(call, context);
      this.record(performance.now() - beganMs);
      return events;
    } catch (error) {
      if (error instanceof DownstreamError && error.reason === 'saturated') this.rest(error);
      throw error;
    }
  }

  private async asked(call: ModelCall, context: CallContext): Promise<AsyncIterable<CompletionEvent>> {
    for (;;) {
      try {
        return await this.send(call, context);
      } catch (error) {
        if (!(error instanceof DownstreamError) || error.reason !== 'rejected') throw error;
        if (!this.tryWithVersion(error) && !this.dialect.learn(error)) throw this.explained(error, call);
      }
    }
  }

  /** A refusal that concerns a parameter of the client names this parameter. */
  private explained(error: DownstreamError, { sampling }: ModelCall): DownstreamError {
    const field = this.dialect.refusedField(error, sampling);
    if (field === undefined) return error;
    const { service, reason, message } = error;
    const detail = `${field}: the model ${JSON.stringify(this.name)} refuses it: ${message}`;
    const problem = { code: 'unsupported_parameter', detail };
    return new DownstreamError({ service, reason, status: 400, message: detail, problem, cause: error });
  }

  private send(
    { messages, maxTokens, sampling, repeatable }: ModelCall,
    context: CallContext,
  ): Promise<AsyncIterable<CompletionEvent>> {
    return this.client.stream(
      {
        method: 'POST',
        path: this.path,
        headers: { accept: 'text/event-stream', ...this.dialect.headers },
        body: this.dialect.body(this.name, messages, maxTokens, sampling),
        repeatable,
        decode: (chunks) => decodeCompletion(chunks, this.dialect.style),
      },
      context,
    );
  }

  /** The path after the address, which may already be the whole URL and may have a query (Azure's `api-version`). */
  private get path(): string {
    const { pathname, search } = new URL(this.client.url ?? 'http://none');
    const isWhole = pathname.endsWith(PATH) || pathname.endsWith(`${PATH}/`);
    return (isWhole ? '' : this.prefix + PATH) + search;
  }

  private tryWithVersion({ status }: DownstreamError): boolean {
    const isBare = this.client.url !== null && new URL(this.client.url).pathname === '/';
    if (status !== 404 || !isBare || this.prefix !== '') return false;
    this.prefix = '/v1';
    return true;
  }

  private rest(error: DownstreamError): void {
    const forMs = refusalKind(error) === 'configuration' ? QUOTA_REST_MS : (error.retryAfterMs ?? REST_MS);
    this.restsUntilMs = Math.max(this.restsUntilMs, performance.now() + Math.min(forMs, MAX_REST_MS));
  }

  private record(tookMs: number): void {
    this.firstPartsMs.push(tookMs);
    if (this.firstPartsMs.length > SAMPLES) this.firstPartsMs.shift();
  }
}
