import type { FastifyReply } from 'fastify';
import { Problem } from '../../http/problem.js';
import { EventStream, type EventStreamTimes } from '../edge/event-stream.js';
import type { ChatSummary } from './chat-events.js';
import type { MessageStream } from './message-stream.js';

/** Sends the events after number `after` as an AI SDK UI message stream, each with its SSE id. */
export async function sendEventStream(
  reply: FastifyReply,
  stream: MessageStream,
  after: number,
  signal: AbortSignal,
  times: EventStreamTimes,
): Promise<void> {
  const events = new EventStream(reply, times, { 'x-vercel-ai-ui-message-stream': 'v1' });
  try {
    let last = after;
    for await (const { id, event } of stream.read(after, signal)) {
      last = id;
      await events.send(event, { id });
    }
    if (!signal.aborted) await events.send('[DONE]', { id: last + 1 });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    events.end();
  }
}

export interface WholeAnswer {
  text: string;
  summary: ChatSummary;
}

/**
 * The whole answer; null where its reader disconnected.
 * @throws Problem where a failure took the place of the answer, and 500 where it ended without its last event
 */
export async function collectAnswer(stream: MessageStream, signal: AbortSignal): Promise<WholeAnswer | null> {
  let text = '';
  for await (const { event } of stream.read(0, signal)) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'data-retraction') text = '';
    if (event.type === 'finish' && stream.failure !== undefined) throw new Problem(stream.failure);
    if (event.type === 'finish') return { text, summary: event.messageMetadata };
  }
  if (signal.aborted) return null;
  const detail = 'The answer broke off; what there was of it is in its conversation.';
  throw new Problem({ status: 500, code: 'answer_failed', detail });
}
