import type { UIMessage, UIMessageChunk } from 'ai';
import type { ChatAnswer, ChatSource, ChatSummary, Scope, Turn } from '../api/shapes.ts';

type ContextPart = { type: 'data-context'; data: DataParts['context'] };

interface DataParts extends Record<string, unknown> {
  context: Pick<ChatAnswer, 'source' | 'outcome' | 'degraded' | 'degradation'>;
  degraded: Pick<ChatAnswer, 'degradation'>;
  /** The texts before it were the model's thinking. */
  retraction: { id: string; reason: string };
}

/** What is sent with the words of a question. */
export interface Asking {
  /** The message id of the turn in whose place the question is asked. */
  replaces?: string;
  /** The question of that turn is asked once more, as it was. */
  again?: boolean;
  /** The message id of the turn that the question follows; without it, the newest. */
  follows?: string;
  scope?: Scope;
  model?: string;
}

interface Metadata extends Partial<ChatSummary> {
  /** Of a question that was asked on this page. */
  asking?: Asking;
  /** Of a stored answer: the message ids of all versions of its turn. */
  siblings?: Turn['siblings'] | undefined;
  feedback?: Turn['feedback'] | undefined;
}

/** A question or an answer; an answer's metadata is complete when its state is. */
export type ChatMessage = UIMessage<Metadata, DataParts>;
export type ChatChunk = UIMessageChunk<Metadata, DataParts>;

export function question(id: string, text: string): ChatMessage {
  return { id, role: 'user', parts: [{ type: 'text', text }] };
}

/** A stored turn as the messages that a stream of it would have made. An answer that is still being written is left out. */
export function messagesOf(turn: Turn): ChatMessage[] {
  const asked = question(`${turn.message_id}-question`, turn.question);
  if (turn.answer.state === 'pending') return [asked];
  const summary = turn.answer.metadata as Partial<ChatSummary>;
  const { siblings, feedback } = turn;
  return [
    asked,
    {
      id: turn.message_id,
      role: 'assistant',
      metadata: { ...summary, state: turn.answer.state, siblings, feedback },
      parts: turn.answer.text === '' ? [] : [{ type: 'text', text: turn.answer.text, state: 'done' }],
    },
  ];
}

/**
 * What is shown after stored turns were read. Messages that are shown already stay as they are, since a stored turn has no
 * thoughts of the model. Earlier turns stay in front where the stored ones follow them.
 */
export function mergedMessages(shown: readonly ChatMessage[], turns: readonly Turn[]): ChatMessage[] {
  const first = shown.findIndex(({ id }) => id === turns[0]?.message_id);
  const earlier = first < 1 ? [] : shown.slice(0, first - 1);
  const merged = turns.flatMap((turn) => {
    const at = shown.findIndex(({ id }) => id === turn.message_id);
    const answer = shown[at];
    const asked = shown[at - 1];
    if (answer?.metadata?.state === undefined || asked?.role !== 'user') return messagesOf(turn);
    const { siblings, feedback } = turn;
    return [asked, { ...answer, metadata: { ...answer.metadata, siblings, feedback } }];
  });
  return [...earlier, ...merged];
}

/** A question with its answer, as far as there is one. */
export interface ShownTurn {
  question: ChatMessage;
  answer: ChatMessage | undefined;
}

export function turnsIn(messages: readonly ChatMessage[]): ShownTurn[] {
  return messages.flatMap((message, index) => {
    if (message.role !== 'user') return [];
    const next = messages[index + 1];
    return [{ question: message, answer: next?.role === 'assistant' ? next : undefined }];
  });
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
