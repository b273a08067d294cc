import { readUIMessageStream } from 'ai';
import { describe, expect, it } from 'vitest';
import { GrowingAnswer } from './growing-answer.ts';
import type { ChatChunk, ChatMessage } from './message.ts';

const SOURCE = { document: 'pears.md', chunk: 0, title: 'Pears', text: 'They ripen in September.', score: 1 };
const CHUNKS: ChatChunk[] = [
  { type: 'start', messageId: 'm1', messageMetadata: { message_id: 'm1', conversation_id: 'c1' } },
  {
    type: 'source-document',
    sourceId: '1',
    mediaType: 'text/markdown',
    title: 'Pears',
    filename: 'pears.md',
    providerMetadata: { caudex: SOURCE },
  },
  { type: 'data-context', data: { source: 'hybrid', outcome: 'found', degraded: false, degradation: [] } },
  { type: 'reasoning-start', id: 'thoughts' },
  { type: 'reasoning-delta', id: 'thoughts', delta: 'Which ' },
  { type: 'text-start', id: 'answer' },
  { type: 'reasoning-delta', id: 'thoughts', delta: 'month?' },
  { type: 'text-delta', id: 'answer', delta: 'In ' },
  { type: 'reasoning-end', id: 'thoughts' },
  { type: 'text-delta', id: 'answer', delta: 'September [1].' },
  { type: 'text-end', id: 'answer' },
  { type: 'text-start', id: 'answer' },
  { type: 'text-delta', id: 'answer', delta: 'A second text under an id that was used before.' },
  { type: 'text-end', id: 'answer' },
  { type: 'data-degraded', data: { degradation: [] } },
  { type: 'finish', finishReason: 'stop', messageMetadata: { state: 'complete', message_id: 'm1', degraded: false } },
];

/** The message that the AI SDK makes of chunks. */
async function asTheSdkReads(chunks: readonly ChatChunk[]): Promise<ChatMessage | undefined> {
  let last: ChatMessage | undefined;
  const stream = new ReadableStream<ChatChunk>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  for await (const message of readUIMessageStream<ChatMessage>({ stream })) last = message;
  return last;
}

/** Without the fields that the SDK sets to undefined. */
const plain = (message: ChatMessage | undefined) => JSON.parse(JSON.stringify(message ?? null)) as unknown;

describe('a growing answer', () => {
  it('is the message that the AI SDK makes of the same chunks, wherever the stream ends', async () => {
    const answer = new GrowingAnswer();
    for (const [index, chunk] of CHUNKS.entries()) {
      answer.add(chunk);
      const read = await asTheSdkReads(CHUNKS.slice(0, index + 1));
      // The SDK publishes the end of a text with what follows it.
      expect(plain(answer.message), `after ${index + 1} chunks`).toEqual(plain(read));
    }
  });

  it('shows a text that is retracted as thinking', () => {
    const answer = new GrowingAnswer();
    const chunks: ChatChunk[] = [
      { type: 'text-start', id: 'text' },
      { type: 'text-delta', id: 'text', delta: 'Hm, pears.' },
      { type: 'text-end', id: 'text' },
      { type: 'data-retraction', data: { id: 'text', reason: 'thinking' } },
      { type: 'text-start', id: 'text-again' },
      { type: 'text-delta', id: 'text-again', delta: 'In September.' },
    ];
    for (const chunk of chunks) answer.add(chunk);
    expect(answer.message?.parts).toMatchObject([
      { type: 'reasoning', text: 'Hm, pears.' },
      { type: 'text', text: 'In September.' },
    ]);
  });

  it('leaves the messages of before as they were', () => {
    const answer = new GrowingAnswer();
    const messages = CHUNKS.map((chunk) => {
      answer.add(chunk);
      return JSON.stringify(answer.message);
    });
    const again = new GrowingAnswer();
    const kept = CHUNKS.map((chunk) => {
      again.add(chunk);
      return again.message;
    });
    expect(kept.map((message) => JSON.stringify(message))).toEqual(messages);
  });

  it('passes over a delta of a text that did not begin', () => {
    const answer = new GrowingAnswer();
    answer.add({ type: 'text-delta', id: 'unknown', delta: 'lost' });
    expect(answer.message).toBeUndefined();
  });
});
