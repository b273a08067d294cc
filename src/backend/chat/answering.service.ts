import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { Turn } from '../../downstream/filesystem/filesystem.contract.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { Credits } from '../billing/credits.service.js';
import type { OpenTurn } from '../conversations/turns.service.js';
import type { Retrieved } from '../search/retrieval.service.js';
import type { UserCall } from '../call/public-call.js';
import { AnswerCache, type AnswerSlot } from './answer-cache.service.js';
import { type ChatSummary, toSource } from './chat-events.js';
import { CitationFilter } from './citations.js';
import { emptyAnswer, extractiveAnswer, preface } from './extractive-answer.js';
import type { MessageStream } from './message-stream.js';
import { ModelRelay } from './model-relay.service.js';
import { buildPrompt, estimateTokens } from './prompt.js';

export interface ChatContext {
  question: string;
  conversationId: string;
  projectId: string | null;
  history: readonly Turn[];
  /** null: no project was named. */
  retrieving: Promise<Retrieved | null>;
}

type Found = Retrieved | { results: []; source: 'none'; outcome: 'no_project' };

/** How far an answer is. */
interface Draft {
  text: string;
  state: 'complete' | 'partial' | 'failed';
  model: string;
  /** Written for an earlier question that was the same. */
  cached: boolean;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
}

const EXTRACTIVE = 'extractive';
const TEXT_ID = 'text';
/** How often an unfinished answer is written down, and how often at the most any of them is: each costs a disk's flush. */
const KEEP_EVERY_MS = 1000;
const KEEP_ANY_EVERY_MS = 10;

/** Writes one answer into its stream and its turn. */
@Injectable()
export class Answering {
  private keptAnyAtMs = 0;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly relay: ModelRelay,
    private readonly answers: AnswerCache,
    private readonly credits: Credits,
  ) {}

  async answer(context: ChatContext, turn: OpenTurn, stream: MessageStream, call: UserCall): Promise<void> {
    const { conversationId } = context;
    const ids = { conversation_id: conversationId, message_id: stream.messageId };
    stream.push({ type: 'start', messageId: stream.messageId, messageMetadata: ids });
    const draft: Draft = { text: '', state: 'failed', model: EXTRACTIVE, cached: false, usage: null };
    let found: Found = NOT_LOOKED_UP;
    try {
      found = (await context.retrieving) ?? NOT_LOOKED_UP;
      this.pushSources(stream, found, call);
      await this.write(context, found, draft, turn, stream, call);
      // Its last words leave for the reader before the disk is waited for.
      await nextTurn();
    } finally {
      await this.finish(ids, found, draft, context, turn, stream, call);
    }
  }

  private pushSources(stream: MessageStream, { results, source, outcome }: Found, call: UserCall): void {
    for (const [index, passage] of results.entries()) {
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
    stream.push({ type: 'data-context', data: { source, outcome, degraded, degradation: [...list] } });
  }

  private async write(
    context: ChatContext,
    found: Found,
    draft: Draft,
    turn: OpenTurn,
    stream: MessageStream,
    call: UserCall,
  ): Promise<void> {
    const say = (text: string) => {
      if (draft.text === '') stream.push({ type: 'text-start', id: TEXT_ID });
      draft.text += text;
      stream.push({ type: 'text-delta', id: TEXT_ID, delta: text });
    };
    const slot = await this.slot(context, found, call);
    if (slot?.kept !== undefined) {
      const { text, model } = slot.kept;
      Object.assign(draft, {
        state: 'complete',
        model,
        cached: true,
        usage: { prompt_tokens: 0, completion_tokens: 0 },
      });
      say(text);
    } else if (this.relay.models.length > 0) await this.copy(context, found, draft, turn, say, call);
    if (draft.text === '') this.quote(found, draft, say, this.relay.models.length > 0 ? 'no_answer' : 'no_model');
    else if (draft.state === 'complete' && !draft.cached && !call.degradation.degraded) slot?.keep(draft);
    if (draft.text !== '') stream.push({ type: 'text-end', id: TEXT_ID });
  }

  /** Where the same answer would serve again: a question that stands alone, looked up as well as can be. */
  private async slot(context: ChatContext, found: Found, call: UserCall): Promise<AnswerSlot | null> {
    const { question, projectId, history } = context;
    const { models } = this.relay;
    const alone = history.length === 0 && found.outcome === 'found' && !call.degradation.degraded;
    if (!this.config.cache.answers || models.length === 0 || !alone || projectId === null) return null;
    return this.answers.open(call.userId, projectId, { question, passages: found.results, models });
  }

  /** The answer without a model. */
  private quote(found: Found, draft: Draft, say: (text: string) => void, why: 'no_model' | 'no_answer'): void {
    const { results, outcome } = found;
    draft.model = EXTRACTIVE;
    say(preface(outcome) ?? (results.length > 0 ? extractiveAnswer(results, why) : emptyAnswer(why)));
    draft.state = 'complete';
  }

  /** The models' answer; where no model begins one, nothing. */
  private async copy(
    { question, history }: ChatContext,
    { results, outcome }: Found,
    draft: Draft,
    turn: OpenTurn,
    say: (text: string) => void,
    call: UserCall,
  ): Promise<void> {
    const { history_tokens, answer_tokens } = this.config.chat;
    const prompt = buildPrompt({ question, history, passages: results, historyTokens: history_tokens });
    const citations = new CitationFilter(results.length);
    const cite = (text: string) => text !== '' && say(text);
    let keptAtMs = performance.now();
    try {
      for await (const event of this.relay.answer(prompt, answer_tokens, call)) {
        if (event.type === 'usage') {
          draft.usage = { prompt_tokens: event.promptTokens, completion_tokens: event.completionTokens };
        } else if (event.type === 'model') {
          const opening = draft.text === '' ? preface(outcome) : null;
          if (opening !== null) say(`${opening}\n\n`);
          draft.model = event.name;
        } else {
          cite(citations.push(event.text));
          const nowMs = performance.now();
          if (nowMs - keptAtMs > KEEP_EVERY_MS && nowMs - this.keptAnyAtMs > KEEP_ANY_EVERY_MS) {
            keptAtMs = this.keptAnyAtMs = nowMs;
            await turn.keep({ text: draft.text, state: 'pending', metadata: {} });
          }
        }
      }
      draft.state = 'complete';
    } catch (error) {
      draft.state = draft.text === '' ? 'failed' : 'partial';
      const unwanted = error instanceof DownstreamError && error.reason === 'cancelled' && draft.text === '';
      if (unwanted || !(error instanceof DownstreamError)) throw error;
    }
    cite(citations.end());
  }

  private async finish(
    ids: { conversation_id: string; message_id: string },
    found: Found,
    draft: Draft,
    context: ChatContext,
    turn: OpenTurn,
    stream: MessageStream,
    call: UserCall,
  ): Promise<void> {
    const { degradation } = call;
    const tokens = draft.usage ?? {
      prompt_tokens: estimateTokens(context.question),
      completion_tokens: estimateTokens(draft.text),
    };
    const credits =
      draft.state === 'failed' || draft.cached
        ? 0
        : this.credits.price(tokens.prompt_tokens + tokens.completion_tokens);
    const summary: ChatSummary = {
      status: 200,
      ...ids,
      sources: found.results.map(toSource),
      source: found.source,
      outcome: found.outcome,
      model: draft.model,
      state: draft.state,
      cached: draft.cached,
      degraded: degradation.degraded,
      degradation: degradation.list,
      saved: 'queued',
      usage: { ...tokens, credits },
    };
    const { delivered, reason } = await turn.end(
      { text: draft.text, state: draft.state, metadata: { ...summary } },
      [this.credits.charge(call.userId, stream.messageId, credits)],
      this.config.chat.save_wait_ms,
    );
    if (delivered) summary.saved = 'stored';
    else if (reason !== undefined) {
      degradation.add('filesystem', new DownstreamError({ service: 'filesystem', reason, message: reason }), 'outbox');
    }
    summary.degraded = degradation.degraded;
    if (degradation.degraded) stream.push({ type: 'data-degraded', data: { degradation: degradation.list } });
    if (draft.state === 'failed')
      stream.push({ type: 'error', errorText: 'The answer could not be written; the question is kept.' });
    stream.push({ type: 'finish', messageMetadata: summary });
  }
}

const NOT_LOOKED_UP = { results: [], source: 'none', outcome: 'no_project' } as const satisfies Found;
