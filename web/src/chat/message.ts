import type { UIMessage, UIMessageChunk } from 'ai';
import type { ChatAnswer, ChatSource, ChatSummary, Turn } from '../api/shapes.ts';

type ContextPart = { type: 'data-context'; data: DataParts['context'] };

interface DataParts extends Record<string, unknown> {
  context: Pick<ChatAnswer, 'source' | 'outcome' | 'degraded' | 'degradation'>;
  degraded: Pick<ChatAnswer, 'degradation'>;
}

/** A question or an answer; an answer's metadata is complete when its state is. */
export type ChatMessage = UIMessage<Partial<ChatSummary>, DataParts>;
export type ChatChunk = UIMessageChunk<Partial<ChatSummary>, DataParts>;

export function question(id: string, text: string): ChatMessage {
  return { id, role: 'user', parts: [{ type: 'text', text }] };
}

/** A stored turn as the messages that a stream of it would have made. An answer that is still being written is left out. */
export function messagesOf(turn: Turn): ChatMessage[] {
  const asked = question(`${turn.message_id}-question`, turn.question);
  if (turn.answer.state === 'pending') return [asked];
  const summary = turn.answer.metadata as Partial<ChatSummary>;
  return [
    asked,
    {
      id: turn.message_id,
      role: 'assistant',
      metadata: { ...summary, state: turn.answer.state },
      parts: turn.answer.text === '' ? [] : [{ type: 'text', text: turn.answer.text, state: 'done' }],
    },
  ];
}

export function textOf({ parts }: ChatMessage): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** What the model thought before it answered; it is shown, and not kept. */
export function thoughtsOf({ parts }: ChatMessage): string {
  return parts.map((part) => (part.type === 'reasoning' ? part.text : '')).join('');
}

/** The passages an answer rests on, in the order in which it counts them. */
export function sourcesOf({ parts, metadata }: ChatMessage): ChatSource[] {
  if (metadata?.sources !== undefined) return metadata.sources;
  return parts.flatMap((part) =>
    part.type === 'source-document' ? [part.providerMetadata?.['caudex'] as unknown as ChatSource] : [],
  );
}

export function degradationOf({ parts, metadata }: ChatMessage): ChatAnswer['degradation'] {
  if (metadata?.degradation !== undefined) return metadata.degradation;
  return parts.flatMap((part) => (part.type === 'data-context' ? (part as ContextPart).data.degradation : []));
}
