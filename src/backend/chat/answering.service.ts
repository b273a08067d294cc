import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { ChatMessage, Sampling } from '../../downstream/llm/model-dialect.js';
import { Problem } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { refusalKind } from '../../resilience/report/model-refusal.js';
import { Credits } from '../billing/credits.service.js';
import { AnswerCounts } from '../edge/answer-counts.service.js';
import { AnswerCache, type AnswerSlot } from './answer-cache.service.js';
import { type ChatSummary, toSource } from './chat-events.js';
import { type ChatRun, EXTRACTIVE, NOT_LOOKED_UP } from './chat-run.js';
import { CitationFilter } from './citations.js';
import { emptyAnswer, extractiveAnswer, preface, type WithoutModel } from './extractive-answer.js';
import { failureFor, refuseWithoutModel } from './failed-answer.js';
import { ModelRelay } from './model-relay.service.js';
import { buildPrompt } from './prompt.js';
import { threadOf } from './client-thread.js';
import { counterFor, estimateTokens } from './token-counter.js';

/** How often an unfinished answer is written to disk, and how often any of them at most: each write costs a flush. */
const KEEP_EVERY_MS = 1000;
const KEEP_ANY_EVERY_MS = 10;
/** The length of the history in the second prompt, after the model rejected the first one as too long. */
const SHORT_HISTORY_TOKENS = 200;
const SHORT_QUESTION_TOKENS = 1000;

/** Writes one answer into its stream and its turn. */
@Injectable()
export class Answering {
  private keptAnyAtMs = 0;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly relay: ModelRelay,
    private readonly answers: AnswerCache,
    private readonly credits: Credits,
    private readonly counts: AnswerCounts,
  ) {}

  /** @throws Problem 400 for a model that is not configured, and for a request that needs one where none is */
  requireModel(name: string | undefined, sampling: Sampling | undefined): void {
    if (this.relay.models.length === 0 && sampling !== undefined) refuseWithoutModel(sampling);
    if (name === undefined) return;
    const models = [...new Set(this.relay.models)];
    if (models.includes(name)) return;
    const known =
      models.length === 0
        ? 'none is configured'
        : `${models.map((one) => JSON.stringify(one)).join(', ')} can be asked`;
    const detail = `model: ${JSON.stringify(name)} is none; ${known}`;
    throw new Problem({ status: 400, code: 'invalid_request', detail, errors: [{ path: 'model', detail }] });
  }

  async answer(run: ChatRun): Promise<void> {
    run.stream.push({ type: 'start', messageId: run.ids.message_id, messageMetadata: run.ids });
    try {
      run.found = (await run.retrieving) ?? NOT_LOOKED_UP;
      this.pushSources(run);
      await this.write(run);
      // Sends the last text to the reader before the wait for the disk.
      await nextTurn();
    } finally {
      await this.finish(run);
    }
  }

  private pushSources({ found, stream, call }: ChatRun): void {
    for (const [index, passage] of found.results.entries()) {
      stream.push({
        type: 'source-document',
        sourceId: String(index + 1),
        mediaType: 'text/plain',
        title: passage.title || passage.document,
        filename: passage.document,
        providerMetadata: { caudex: toSource(passage) },
      });
    }
    const { degraded, list } = call.degradation;
    const { source, outcome } = found;
    stream.push({ type: 'data-context', data: { source, outcome, degraded, degradation: [...list] } });
  }

  private async write(run: ChatRun): Promise<void> {
    const { draft, call } = run;
    const slot = await this.slot(run);
    if (slot?.kept !== undefined) {
      Object.assign(draft, { state: 'complete', finish: 'stop', model: slot.kept.model, cached: true });
      draft.usage = { prompt_tokens: 0, completion_tokens: 0 };
      run.say(slot.kept.text);
    } else if (this.relay.models.length > 0) await this.relayed(run);
    if (draft.text === '') this.quote(run);
    else if (draft.state === 'complete' && !draft.cached && !call.degradation.degraded) slot?.keep(draft);
    run.endPart();
  }

  /**
   * The cache slot, where the answer can be reused: the question has no history and all passages were found without
   * degradation.
   */
  private async slot(run: ChatRun): Promise<AnswerSlot | null> {
    const { question, projectId, history, found, call, options } = run;
    const { models } = this.relay;
    const alone = history.length === 0 && options.prefill === undefined && options.isRepeat !== true;
    const sound = found.outcome === 'found' && !call.degradation.degraded;
    if (!this.config.cache.answers || models.length === 0 || !alone || !sound || projectId === null) return null;
    return this.answers.open(call.userId, projectId, {
      question,
      passages: found.results,
      models: [options.model ?? '', ...models],
      asked: { instructions: options.instructions, sampling: options.sampling },
    });
  }

  /**
   * Writes the answer without a model. Where the client asked for JSON, or the model refused one of its parameters, a
   * quotation is no answer, and the request fails.
   */
  private quote(run: ChatRun): void {
    const { found, draft, options, modelError } = run;
    const why = this.whyWithoutModel(modelError);
    if (typeof why === 'object') run.retryAfterS = why.seconds;
    const failure = failureFor(options.sampling, modelError, run.retryAfterS);
    if (failure !== undefined) {
      run.stream.failure = failure;
      return;
    }
    const { results, outcome } = found;
    run.say(preface(outcome) ?? (results.length > 0 ? extractiveAnswer(results, why) : emptyAnswer(why)));
    const isEmpty = outcome === 'unavailable' || (results.length === 0 && why !== 'no_model');
    const finish = why === 'filtered' ? 'content_filter' : 'stop';
    Object.assign(draft, { model: EXTRACTIVE, state: 'complete', finish, isEmpty });
  }

  private whyWithoutModel(error: DownstreamError | undefined): WithoutModel {
    const { models, isMisconfigured, restingMs } = this.relay;
    if (models.length === 0) return 'no_model';
    if (isMisconfigured) return 'misconfigured';
    if (restingMs > 0) return { kind: 'resting', seconds: Math.ceil(restingMs / 1000) };
    const kind = error === undefined ? undefined : refusalKind(error);
    if (kind === 'content_filter') return 'filtered';
    return kind === 'prompt_too_long' ? 'too_long' : 'no_answer';
  }

  /** Writes the models' answer. If no model starts one, the draft stays empty. */
  private async relayed(run: ChatRun): Promise<void> {
    const { draft, found, call, options } = run;
    const { answer_tokens, answer_max_bytes, first_words_ms, thinking_ms } = this.config.chat;
    const newFilter = () => new CitationFilter(found.outcome === 'no_project' ? null : found.results.length);
    let citations = newFilter();
    let bytes = 0;
    let keptAtMs = performance.now();
    try {
      const answer = this.relay.answer(
        {
          prompt: (model, shortened) => this.prompt(run, model, shortened),
          model: options.model,
          maxTokens: answer_tokens,
          sampling: options.sampling,
          beginsByMs: run.beganMs + first_words_ms,
          thinkingMs: thinking_ms,
        },
        call,
      );
      for await (const event of answer) {
        if (event.type === 'usage') {
          draft.usage = { prompt_tokens: event.promptTokens, completion_tokens: event.completionTokens };
        } else if (event.type === 'model') draft.model = event.name;
        else if (event.type === 'reasoning') run.think(event.text);
        else if (event.type === 'finish') draft.finish = event.reason;
        else if (event.type === 'retraction') {
          citations = newFilter();
          run.retract();
          run.say(citations.push(event.answer));
        } else if (event.type === 'text') {
          run.say(citations.push(event.text));
          bytes += Buffer.byteLength(event.text);
          if (bytes > answer_max_bytes) {
            draft.finish = 'length';
            break;
          }
          keptAtMs = await this.keepNowAndThen(run, keptAtMs);
        }
      }
      draft.state = draft.finish === 'stop' ? 'complete' : 'partial';
    } catch (error) {
      const isCancelled = error instanceof DownstreamError && error.reason === 'cancelled';
      draft.finish = isCancelled ? 'cancelled' : 'error';
      draft.state = draft.text === '' ? 'failed' : 'partial';
      if (!(error instanceof DownstreamError) || (isCancelled && draft.text === '')) throw error;
      run.modelError = error;
    }
    run.say(citations.end());
  }

  private async prompt(run: ChatRun, model: string, shortened: boolean): Promise<ChatMessage[]> {
    const { question, history, found, options } = run;
    const counter = await counterFor(model);
    const passages = found.outcome === 'no_project' ? null : found.results;
    const { history_tokens } = this.config.chat;
    if (!shortened) {
      return buildPrompt({ question, history, passages, ...options, historyTokens: history_tokens }, counter);
    }
    return buildPrompt(
      {
        ...{ question, history, ...options },
        passages: passages?.slice(0, Math.ceil(passages.length / 2)) ?? null,
        historyTokens: Math.min(history_tokens, SHORT_HISTORY_TOKENS),
        questionTokens: SHORT_QUESTION_TOKENS,
      },
      counter,
    );
  }

  /** @returns when the answer was last written to disk */
  private async keepNowAndThen({ turn, draft }: ChatRun, keptAtMs: number): Promise<number> {
    const nowMs = performance.now();
    if (nowMs - keptAtMs <= KEEP_EVERY_MS || nowMs - this.keptAnyAtMs <= KEEP_ANY_EVERY_MS) return keptAtMs;
    this.keptAnyAtMs = nowMs;
    await turn.keep({ text: draft.text, state: 'pending', metadata: {} });
    return nowMs;
  }

  private async finish(run: ChatRun): Promise<void> {
    const { draft, stream, turn, call } = run;
    run.endPart();
    const { degradation } = call;
    const summary = this.summary(run);
    const { credits } = summary.usage;
    const { clientThread } = run.options;
    const { delivered, reason } = await turn.end(
      {
        answer: {
          text: draft.text,
          state: draft.state,
          finish_reason: draft.finish,
          metadata: { ...summary, saved: 'stored' },
        },
        ...(clientThread === undefined ? {} : { thread: threadOf(clientThread, run.question, draft.text) }),
      },
      [this.credits.charge(call.userId, run.ids.message_id, credits)],
      this.config.chat.save_wait_ms,
    );
    if (delivered) summary.saved = 'stored';
    else if (reason !== undefined) {
      degradation.add('filesystem', new DownstreamError({ service: 'filesystem', reason, message: reason }), 'outbox');
    }
    summary.degraded = degradation.degraded;
    this.counts.add('chat', draft.state === 'failed' ? 'failed' : summary.degraded ? 'degraded' : 'complete');
    if (degradation.degraded) stream.push({ type: 'data-degraded', data: { degradation: degradation.list } });
    if (draft.state === 'failed')
      stream.push({ type: 'error', errorText: 'The answer could not be written; the question is kept.' });
    stream.push({ type: 'finish', finishReason: FINISH_REASONS[draft.finish], messageMetadata: summary });
  }

  private summary({ ids, question, draft, found, call, retryAfterS }: ChatRun): ChatSummary {
    const tokens = draft.usage ?? {
      prompt_tokens: estimateTokens(question),
      completion_tokens: estimateTokens(draft.text),
    };
    const isFree = draft.state === 'failed' || draft.finish === 'error' || draft.cached || draft.isEmpty;
    return {
      status: 200,
      ...ids,
      sources: found.results.map(toSource),
      source: found.source,
      outcome: found.outcome,
      model: draft.model,
      state: draft.state,
      finish_reason: draft.finish,
      cached: draft.cached,
      degraded: call.degradation.degraded,
      degradation: call.degradation.list,
      ...(retryAfterS === undefined ? {} : { retry_after: retryAfterS }),
      saved: 'queued',
      usage: {
        ...tokens,
        credits: isFree ? 0 : this.credits.price(tokens.prompt_tokens + tokens.completion_tokens),
      },
    };
  }
}

/** The AI SDK's names of the finish reasons. */
const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  error: 'error',
  cancelled: 'other',
} as const;
