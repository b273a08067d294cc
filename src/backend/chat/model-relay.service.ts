import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { CompletionEvent, FinishReason } from '../../downstream/llm/completion/completion-event.js';
import type { LanguageModel } from '../../downstream/llm/language-model.js';
import { LlmClient } from '../../downstream/llm/llm.client.js';
import type { ChatMessage, Sampling } from '../../downstream/llm/model-dialect.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { type RefusalKind, refusalKind } from '../../resilience/report/model-refusal.js';
import type { Fallback } from '../call/degradation.js';
import type { UserCall } from '../call/public-call.js';
import { waitUntil } from '../call/waiting.js';
import { Continuation, wholeWords } from './continuation.js';
import { estimateTokens } from './token-counter.js';

/**
 * `model`: the name of the model that writes the following text. `retraction`: the answer so far is `answer`, and not the
 * text of the events before.
 */
export type RelayEvent =
  | Exclude<CompletionEvent, { type: 'retraction' }>
  | { type: 'model'; name: string }
  | { type: 'retraction'; answer: string };

export interface Assignment {
  /** Builds the prompt for each try; `shortened` after the model reported that its context was too small. */
  prompt: (model: string, shortened: boolean) => Promise<ChatMessage[]>;
  /** The model that is called first; undefined: the first configured one. */
  model?: string | undefined;
  maxTokens: number;
  sampling: Sampling;
  /** By when a model must have started its answer, on the scale of `performance.now()`. */
  beginsByMs: number;
  /** The longest time that a model may think before its first text, in milliseconds. */
  thinkingMs: number;
}

const GO_ON =
  'Your answer was cut off in the middle. Go on exactly where it ends, as if nothing had happened: repeat nothing, excuse nothing, begin with the next word.';

/**
 * The time in which a model that is not the last must start: this multiple of its usual time, within the bounds below.
 */
const P95_MULTIPLE = 3;
const MIN_TURN_MS = 1500;
const MAX_TURN_MS = 8000;
/** The longest rest of the only model, or the last one, that an answer waits for. */
const MAX_REST_WAIT_MS = 2000;

/** Calls the models in their order. Where one fails, the next one continues the answer. */
@Injectable()
export class ModelRelay {
  constructor(private readonly llm: LlmClient) {}

  /** The names of the models, in their order. */
  get models(): readonly string[] {
    return this.llm.models.map(({ name }) => name);
  }

  /** Whether there are models and each of them is misconfigured, so that a repetition does not help. */
  get isMisconfigured(): boolean {
    const { models } = this.llm;
    return models.length > 0 && models.every((model) => model.isMisconfigured);
  }

  /** In how many milliseconds one of the models may be called again, after all asked for a rest; 0: now. */
  get restingMs(): number {
    const { models } = this.llm;
    return models.length === 0 ? 0 : Math.min(...models.map(({ restingMs }) => restingMs));
  }

  /** The models in the order in which they are called, with the client's choice first. */
  private ordered(chosen: string | undefined): readonly LanguageModel[] {
    const { models } = this.llm;
    return models.toSorted((a, b) => Number(b.name === chosen) - Number(a.name === chosen));
  }

  /**
   * Ends with the finish reason when the answer is complete. A complete answer has at least one word. Every model that
   * failed is added to the call's degradation.
   * @throws DownstreamError where the last model failed, or the caller cancelled the answer
   */
  async *answer(assignment: Assignment, call: UserCall): AsyncGenerator<RelayEvent> {
    const models = this.ordered(assignment.model);
    let textSoFar = '';
    for (const [index, model] of models.entries()) {
      const isLast = index === models.length - 1;
      const before = textSoFar;
      try {
        let begun = false;
        let finish: FinishReason = 'stop';
        for await (const event of this.write(model, assignment, textSoFar, call, isLast)) {
          if (event.type === 'finish') finish = event.reason;
          else if (event.type === 'text') {
            if (!begun) yield { type: 'model', name: model.name };
            begun = true;
            textSoFar += event.text;
            yield event;
          } else if (event.type === 'retraction') {
            textSoFar = before;
            yield { type: 'retraction', answer: before };
          } else if (event.type === 'reasoning' || textSoFar !== '') yield event;
        }
        if (textSoFar === '') throw finish === 'content_filter' ? filtered(model) : wordless(model);
        yield { type: 'finish', reason: finish };
        return;
      } catch (error) {
        if (!(error instanceof DownstreamError) || error.reason === 'cancelled') throw error;
        const fallback: Fallback = isLast ? (textSoFar === '' ? 'extractive' : 'none') : 'next_model';
        call.degradation.add(model.service, error, fallback);
        if (isLast) throw error;
      }
    }
  }

  /** The text that one model adds to the text so far. */
  private async *write(
    model: LanguageModel,
    assignment: Assignment,
    textSoFar: string,
    call: UserCall,
    isLast: boolean,
  ): AsyncGenerator<CompletionEvent> {
    await this.untilRested(model, assignment, isLast);
    if (textSoFar === '') {
      yield* this.fromTheBeginning(model, assignment, call, isLast);
      return;
    }
    const before = estimateTokens(textSoFar);
    let continuation = new Continuation(textSoFar);
    const messages = [...(await assignment.prompt(model.name, false)), ...continuing(textSoFar)];
    const maxTokens = Math.max(1, assignment.maxTokens - before);
    for await (const event of this.within(model, messages, { ...assignment, maxTokens }, call, isLast)) {
      if (event.type === 'usage') yield { ...event, completionTokens: before + event.completionTokens };
      else if (event.type !== 'text') {
        if (event.type === 'retraction') continuation = new Continuation(textSoFar);
        yield event;
      } else {
        const text = continuation.push(event.text);
        if (text !== '') yield { type: 'text', text };
      }
    }
    const rest = continuation.end();
    if (rest !== '') yield { type: 'text', text: rest };
  }

  /**
   * The last model is waited for where its rest is short. A misconfigured last one is called in any case, because an
   * operator may have corrected it.
   * @throws DownstreamError `saturated` for a model that must not be called yet
   */
  private async untilRested(model: LanguageModel, { beginsByMs }: Assignment, isLast: boolean): Promise<void> {
    const { restingMs } = model;
    if (restingMs === 0 || (isLast && model.isMisconfigured)) return;
    if (!isLast || restingMs > MAX_REST_WAIT_MS || performance.now() + restingMs > beginsByMs) {
      throw failed(model, 'saturated', 'the endpoint asked not to be called yet');
    }
    await sleep(restingMs);
  }

  /**
   * Calls the model again with a shorter prompt and a shorter answer where its context is too small, and with more
   * tokens where thinking used all of them.
   */
  private async *fromTheBeginning(
    model: LanguageModel,
    assignment: Assignment,
    call: UserCall,
    isLast: boolean,
  ): AsyncGenerator<CompletionEvent> {
    let isTooLong = false;
    for (let isRepeat = false; ; isRepeat = true) {
      let hasText = false;
      let learned = false;
      let spent = false;
      try {
        const messages = await assignment.prompt(model.name, isTooLong);
        const maxTokens = isTooLong ? Math.ceil(assignment.maxTokens / 2) : assignment.maxTokens;
        for await (const event of this.within(model, messages, { ...assignment, maxTokens }, call, isLast)) {
          if (event.type === 'retraction') hasText = false;
          hasText ||= event.type === 'text';
          if (event.type === 'reasoning' || event.type === 'retraction') learned ||= model.dialect.learnThinking();
          spent = event.type === 'finish' && event.reason === 'length' && !hasText && learned;
          if (!spent) yield event;
        }
        if (!spent || isRepeat) return;
      } catch (error) {
        isTooLong = isRefused(error, 'prompt_too_long');
        if (hasText || isRepeat || !isTooLong) throw error;
      }
    }
  }

  /** Calls one model with limits for the time until it starts and for its thinking time. */
  private async *within(
    model: LanguageModel,
    messages: readonly ChatMessage[],
    { maxTokens, sampling, beginsByMs, thinkingMs }: Assignment,
    call: UserCall,
    isLast: boolean,
  ): AsyncGenerator<CompletionEvent> {
    const nowMs = performance.now();
    const turnMs = isLast ? Infinity : turnOf(model);
    // A model that is not the last gets one attempt, because a retry would take longer than the next model.
    const asked = { messages, maxTokens, sampling, repeatable: isLast };
    const untilMs = Math.min(beginsByMs, nowMs + turnMs);
    let given = false;
    const events = await waitUntil(model.service, call, untilMs, async (own) => {
      const stream = await model.stream(asked, own);
      // The wait has ended already, so the stream is closed.
      if (given) await stream[Symbol.asyncIterator]().return?.();
      return stream;
    }).catch((error: unknown) => {
      given = true;
      throw error;
    });
    const thinksUntilMs = performance.now() + thinkingMs;
    for await (const event of events) {
      if (event.type === 'reasoning' || event.type === 'progress') {
        if (performance.now() > thinksUntilMs)
          throw failed(model, 'timeout', `no word after ${thinkingMs} ms of thinking`);
      }
      yield event;
    }
  }
}

/** How long a model that is not the last may take to start, in milliseconds. */
function turnOf({ firstPartP95Ms }: LanguageModel): number {
  if (firstPartP95Ms === undefined) return MAX_TURN_MS;
  return Math.min(MAX_TURN_MS, Math.max(MIN_TURN_MS, P95_MULTIPLE * firstPartP95Ms));
}

const isRefused = (error: unknown, kind: RefusalKind) =>
  error instanceof DownstreamError && refusalKind(error) === kind;

function failed({ service }: LanguageModel, reason: 'protocol' | 'saturated' | 'timeout', message: string) {
  return new DownstreamError({ service, reason, message });
}

const wordless = (model: LanguageModel) => failed(model, 'protocol', 'the model ended its answer without a word');

function filtered({ service }: LanguageModel): DownstreamError {
  const detail = 'the content filter of the model withheld its answer';
  const problem = { code: 'content_filter', detail };
  return new DownstreamError({ service, reason: 'rejected', status: 400, message: detail, problem });
}

function continuing(textSoFar: string): ChatMessage[] {
  const content = wholeWords(textSoFar).trimEnd();
  return content === ''
    ? []
    : [
        { role: 'assistant', content },
        { role: 'user', content: GO_ON },
      ];
}
