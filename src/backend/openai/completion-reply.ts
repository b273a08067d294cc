import type { FastifyReply } from 'fastify';
import type { ChatSummary } from '../chat/chat-events.js';
import type { MessageStream } from '../chat/message-stream.js';
import { EventStream, type EventStreamTimes } from '../edge/event-stream.js';
import { openAiError } from './openai-error.js';
import { citationsOf } from './url-citations.js';

const seconds = () => Math.floor(Date.now() / 1000);

/** A whole answer as a `chat.completion`. */
export function completion(model: string, text: string, summary: ChatSummary) {
  return {
    id: `chatcmpl-${summary.message_id}`,
    object: 'chat.completion' as const,
    created: seconds(),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant' as const,
          content: text,
          refusal: null,
          annotations: annotationsOf(text, summary),
        },
        finish_reason: finishReason(summary),
        logprobs: null,
      },
    ],
    usage: usageOf(summary),
    caudex: summary,
  };
}

/** A whole answer as `chat.completion.chunk` events; the last one with a choice carries the `caudex` field. */
export async function sendCompletionStream(
  reply: FastifyReply,
  stream: MessageStream,
  model: string,
  includeUsage: boolean,
  signal: AbortSignal,
  times: EventStreamTimes,
): Promise<void> {
  const events = new EventStream(reply, times);
  const head = { id: `chatcmpl-${stream.messageId}`, object: 'chat.completion.chunk', created: seconds(), model };
  const send = (data: object) => events.send({ ...head, ...data });
  const choice = (delta: object, finish_reason: string | null = null) => [
    { index: 0, delta, finish_reason, logprobs: null },
  ];
  // All text that was sent, also where it is retracted: this protocol cannot take a chunk back.
  let text = '';
  try {
    await send({ choices: choice({ role: 'assistant', content: '' }) });
    for await (const { event } of stream.read(0, signal)) {
      if (event.type === 'text-delta') {
        text += event.delta;
        await send({ choices: choice({ content: event.delta }) });
      }
      // The field in which clients of thinking models expect it.
      if (event.type === 'reasoning-delta') await send({ choices: choice({ reasoning_content: event.delta }) });
      if (event.type === 'finish' && stream.failure !== undefined) await events.send(openAiError(stream.failure));
      else if (event.type === 'finish') {
        const annotations = annotationsOf(text, event.messageMetadata);
        const delta = annotations.length > 0 ? { annotations } : {};
        await send({ choices: choice(delta, finishReason(event.messageMetadata)), caudex: event.messageMetadata });
        if (includeUsage) await send({ choices: [], usage: usageOf(event.messageMetadata) });
      }
    }
    if (!signal.aborted) await events.send('[DONE]');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    events.end();
  }
}

/** OpenAI has no finish reason for an interrupted answer; `length` also marks an incomplete one. */
function finishReason({ finish_reason }: ChatSummary): 'stop' | 'length' | 'content_filter' {
  return finish_reason === 'stop' || finish_reason === 'content_filter' ? finish_reason : 'length';
}

/** The citations in an answer as OpenAI's `url_citation`s. */
function annotationsOf(text: string, summary: ChatSummary) {
  return citationsOf(text, summary).map((url_citation) => ({ type: 'url_citation' as const, url_citation }));
}

function usageOf({ usage: { prompt_tokens, completion_tokens } }: ChatSummary) {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}
