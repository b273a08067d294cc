import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { countsNoMore } from '../limits/load-shedding.js';
import type { ChatSummary } from './chat-events.js';
import { MessageStream } from './message-stream.js';

/** Sends the events after number `after` as an AI SDK UI message stream, each with its SSE id. */
export async function sendEventStream(
  reply: FastifyReply,
  stream: MessageStream,
  after: number,
  signal: AbortSignal,
  heartbeatMs: number,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-vercel-ai-ui-message-stream': 'v1',
  });
  raw.flushHeaders();
  countsNoMore(reply);
  const heartbeat = setInterval(() => raw.write(': heartbeat\n\n'), heartbeatMs);
  try {
    let last = after;
    for await (const { id, event } of stream.read(after, signal)) {
      last = id;
      // A reader who is slower than the model is waited for, so that no answer piles up in memory twice.
      if (!raw.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`)) await once(raw, 'drain', { signal });
    }
    if (!signal.aborted) raw.write(`id: ${last + 1}\ndata: [DONE]\n\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

export interface WholeAnswer {
  text: string;
  summary: ChatSummary;
}

/** An answer given before, as a stream that has ended. */
export function recorded(userId: string, { text, summary }: WholeAnswer): MessageStream {
  const { message_id, conversation_id } = summary;
  const stream = new MessageStream(message_id, userId, 0);
  stream.push({ type: 'start', messageId: message_id, messageMetadata: { message_id, conversation_id } });
  stream.push({ type: 'text-start', id: 'text' });
  stream.push({ type: 'text-delta', id: 'text', delta: text });
  stream.push({ type: 'text-end', id: 'text' });
  stream.push({ type: 'finish', messageMetadata: summary });
  stream.end();
  return stream;
}

/** The whole answer; null when its reader went away. */
export async function collectAnswer(stream: MessageStream, signal: AbortSignal): Promise<WholeAnswer | null> {
  let text = '';
  for await (const { event } of stream.read(0, signal)) {
    if (event.type === 'text-delta') text += event.delta;
    if (event.type === 'finish') return { text, summary: event.messageMetadata };
  }
  return null;
}
