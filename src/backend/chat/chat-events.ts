import type { Passage } from '../../contract/passage.contract.js';
import type { DegradationList } from '../call/degradation.js';
import type { Retrieved, Source } from '../search/retrieval.service.js';

export interface ChatSource {
  document: string;
  chunk: number;
  title: string;
  text: string;
  /** The page, for a document with pages. */
  page?: number;
  score: number;
}

/** The summary of a complete answer. The JSON answer consists of this and the text. */
export interface ChatSummary {
  status: 200;
  conversation_id: string;
  message_id: string;
  sources: ChatSource[];
  source: Source;
  outcome: Retrieved['outcome'] | 'no_project';
  model: string;
  state: 'complete' | 'partial' | 'failed';
  /** Why the answer ended. */
  finish_reason: 'stop' | 'length' | 'content_filter' | 'error' | 'cancelled';
  /** Whether the answer comes from the cache; it costs no credits then. */
  cached: boolean;
  degraded: boolean;
  degradation: DegradationList;
  /** In how many seconds a model can be asked again, where all of them asked for a rest (429). */
  retry_after?: number;
  saved: 'stored' | 'queued';
  usage: { prompt_tokens: number; completion_tokens: number; credits: number };
}

/** The chunks of the AI SDK's UI message stream that Caudex sends. */
export type ChatEvent =
  | { type: 'start'; messageId: string; messageMetadata: { conversation_id: string; message_id: string } }
  | {
      type: 'source-document';
      sourceId: string;
      mediaType: string;
      title: string;
      filename: string;
      providerMetadata: { caudex: ChatSource };
    }
  | { type: 'data-context'; data: { source: Source; outcome: string; degraded: boolean; degradation: DegradationList } }
  | { type: 'reasoning-start'; id: string }
  | { type: 'reasoning-delta'; id: string; delta: string }
  | { type: 'reasoning-end'; id: string }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  /** The text part `id`, and any before it, is no part of the answer: it was the model's thinking. */
  | { type: 'data-retraction'; data: { id: string; reason: 'thinking' } }
  | { type: 'data-degraded'; data: { degradation: DegradationList } }
  | { type: 'error'; errorText: string }
  | { type: 'finish'; finishReason: string; messageMetadata: ChatSummary };

export function toSource({ document, chunk, title, text, page, score }: Passage): ChatSource {
  return { document, chunk, title, text, ...(page !== undefined && { page }), score };
}
