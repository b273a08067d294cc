import type { FinishReason } from '../../downstream/llm/completion/completion-event.js';
import type { Sampling } from '../../downstream/llm/model-dialect.js';
import type { OpenTurn } from '../conversations/turns.service.js';
import type { UserCall } from '../call/public-call.js';
import type { Retrieved } from '../search/retrieval.service.js';
import type { MessageStream } from './message-stream.js';
import type { PriorMessage } from './prompt.js';

export type Found = Retrieved | { results: []; source: 'none'; outcome: 'no_project' };
export const NOT_LOOKED_UP = { results: [], source: 'none', outcome: 'no_project' } as const satisfies Found;

/** What the client asks beside its question. */
export interface AnswerOptions {
  /** The client's own system text. */
  instructions?: string | undefined;
  /** The beginning of the answer. */
  prefill?: string | undefined;
  /** The model that is asked first. */
  model?: string | undefined;
  /** An answer that was kept for the same question does not serve: it is the one that was not good enough. */
  isRepeat?: boolean | undefined;
  /** See `ChatRequest`. */
  clientThread?: string | undefined;
  sampling: Sampling;
}

/** The answer as far as it is. */
export interface Draft {
  text: string;
  state: 'complete' | 'partial' | 'failed';
  /** `cancelled`: the caller stopped it; `error`: it broke off. */
  finish: FinishReason | 'error' | 'cancelled';
  model: string;
  /** Written for an earlier question that was the same. */
  cached: boolean;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
}

const TEXT_ID = 'text';
const REASONING_ID = 'reasoning';
export const EXTRACTIVE = 'extractive';

/** One question on its way to its answer: everything that the steps in between share. */
export class ChatRun {
  readonly draft: Draft = {
    text: '',
    state: 'failed',
    finish: 'error',
    model: EXTRACTIVE,
    cached: false,
    usage: null,
  };
  found: Found = NOT_LOOKED_UP;
  private open: 'reasoning' | 'text' | undefined;

  constructor(
    readonly question: string,
    readonly ids: { conversation_id: string; message_id: string },
    readonly projectId: string | null,
    /** Oldest first. */
    readonly history: readonly PriorMessage[],
    readonly options: AnswerOptions,
    /** null: no project was named. */
    readonly retrieving: Promise<Retrieved | null>,
    readonly turn: OpenTurn,
    readonly stream: MessageStream,
    readonly call: UserCall,
    /** When the request came, on the scale of `performance.now()`. */
    readonly beganMs: number,
  ) {}

  /** Adds to the answer. */
  say(text: string): void {
    if (text === '') return;
    this.begin('text');
    this.draft.text += text;
    this.stream.push({ type: 'text-delta', id: TEXT_ID, delta: text });
  }

  /** Shows what the model thinks. It is no part of the answer and is not stored. */
  think(text: string): void {
    if (this.open === 'text') return;
    this.begin('reasoning');
    this.stream.push({ type: 'reasoning-delta', id: REASONING_ID, delta: text });
  }

  /** Ends the part that is open. */
  endPart(): void {
    if (this.open === 'text') this.stream.push({ type: 'text-end', id: TEXT_ID });
    if (this.open === 'reasoning') this.stream.push({ type: 'reasoning-end', id: REASONING_ID });
    this.open = undefined;
  }

  private begin(part: 'reasoning' | 'text'): void {
    if (this.open === part) return;
    this.endPart();
    this.open = part;
    if (part === 'text') this.stream.push({ type: 'text-start', id: TEXT_ID });
    else this.stream.push({ type: 'reasoning-start', id: REASONING_ID });
  }
}
