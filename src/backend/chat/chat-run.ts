import type { FinishReason } from '../../downstream/llm/completion/completion-event.js';
import type { Sampling } from '../../downstream/llm/model-dialect.js';
import type { DownstreamError } from '../../resilience/policy/downstream-error.js';
import type { OpenTurn } from '../conversations/turns.service.js';
import type { UserCall } from '../call/public-call.js';
import type { Retrieved } from '../search/retrieval.service.js';
import type { MessageStream } from './message-stream.js';
import type { PriorMessage } from './prompt.js';

export type Found = Retrieved | { results: []; source: 'none'; outcome: 'no_project' };
export const NOT_LOOKED_UP = { results: [], source: 'none', outcome: 'no_project' } as const satisfies Found;

/** The options of the client beside its question. */
export interface AnswerOptions {
  /** The client's own system text. */
  instructions?: string | undefined;
  /** The given beginning of the answer. */
  prefill?: string | undefined;
  /** The model that is called first. */
  model?: string | undefined;
  /** Whether the cached answer must not be used, because the client asks for another one. */
  isRepeat?: boolean | undefined;
  /** See `ChatRequest`. */
  clientThread?: string | undefined;
  sampling: Sampling;
}

/** The answer as far as it is written. */
export interface Draft {
  text: string;
  state: 'complete' | 'partial' | 'failed';
  /** `cancelled`: the caller stopped it; `error`: it ended with an error. */
  finish: FinishReason | 'error' | 'cancelled';
  model: string;
  /** Whether the answer comes from the cache. */
  cached: boolean;
  /** Whether there is neither a model's text nor a quotation, because of a failure. It costs nothing. */
  isEmpty: boolean;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
}

const REASONING_ID = 'reasoning';
export const EXTRACTIVE = 'extractive';

/** One question and its answer: the state that all steps of answering share. */
export class ChatRun {
  readonly draft: Draft = {
    text: '',
    state: 'failed',
    finish: 'error',
    model: EXTRACTIVE,
    cached: false,
    isEmpty: false,
    usage: null,
  };
  found: Found = NOT_LOOKED_UP;
  /** Why the last model failed. */
  modelError: DownstreamError | undefined;
  /** In how many seconds a model can be asked again, where all of them asked for a rest. */
  retryAfterS: number | undefined;
  private open: 'reasoning' | 'text' | undefined;
  private textId = 'text';

  constructor(
    readonly question: string,
    readonly ids: { conversation_id: string; message_id: string },
    readonly projectId: string | null,
    /** Oldest first. */
    readonly history: readonly PriorMessage[],
    readonly options: AnswerOptions,
    /** null: the request named no project. */
    readonly retrieving: Promise<Retrieved | null>,
    readonly turn: OpenTurn,
    readonly stream: MessageStream,
    readonly call: UserCall,
    /** When the request arrived, on the scale of `performance.now()`. */
    readonly beganMs: number,
  ) {}

  /** Adds to the answer. */
  say(text: string): void {
    if (text === '') return;
    this.begin('text');
    this.draft.text += text;
    this.stream.push({ type: 'text-delta', id: this.textId, delta: text });
  }

  /** Streams the model's thinking. It is not part of the answer and is not stored. */
  think(text: string): void {
    if (this.open === 'text') return;
    this.begin('reasoning');
    this.stream.push({ type: 'reasoning-delta', id: REASONING_ID, delta: text });
  }

  /** All text so far is no part of the answer: it was the model's thinking. The answer begins anew, in a further part. */
  retract(): void {
    if (this.draft.text === '') return;
    this.endPart();
    this.stream.push({ type: 'data-retraction', data: { id: this.textId, reason: 'thinking' } });
    this.draft.text = '';
    this.textId += '-again';
  }

  /** Ends the open part. */
  endPart(): void {
    if (this.open === 'text') this.stream.push({ type: 'text-end', id: this.textId });
    if (this.open === 'reasoning') this.stream.push({ type: 'reasoning-end', id: REASONING_ID });
    this.open = undefined;
  }

  private begin(part: 'reasoning' | 'text'): void {
    if (this.open === part) return;
    this.endPart();
    this.open = part;
    if (part === 'text') this.stream.push({ type: 'text-start', id: this.textId });
    else this.stream.push({ type: 'reasoning-start', id: REASONING_ID });
  }
}
