import type { ChatEvent } from './chat-events.js';
import { MessageStream, type NumberedEvent } from './message-stream.js';

const delta = (text: string): ChatEvent => ({ type: 'text-delta', id: 'text', delta: text });
const never = new AbortController().signal;

async function all(events: AsyncIterable<NumberedEvent>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { id, event } of events)
    texts.push(`${id}:${event.type === 'text-delta' ? event.delta : event.type}`);
  return texts;
}

describe('MessageStream', () => {
  it('gives every reader all events, from any position', async () => {
    const stream = new MessageStream('m', 'ann', 1000);
    stream.push(delta('a'));
    const early = all(stream.read(0, never));
    stream.push(delta('b'));
    await Promise.resolve();
    stream.push(delta('c'));
    stream.end();
    expect(await early).toEqual(['1:a', '2:b', '3:c']);
    expect(await all(stream.read(2, never))).toEqual(['3:c']);
    expect(await all(stream.read(3, never))).toEqual([]);
  });

  it('releases a waiting reader when it disconnects', async () => {
    const stream = new MessageStream('m', 'ann', 1000);
    const leaving = new AbortController();
    const read = all(stream.read(0, leaving.signal));
    leaving.abort();
    expect(await read).toEqual([]);
    stream.end();
  });

  it('stops the work some time after the last reader disconnected, but not if one reconnected', async () => {
    const stream = new MessageStream('m', 'ann', 20);
    const leaving = new AbortController();
    const first = all(stream.read(0, leaving.signal));
    leaving.abort();
    await first;
    const back = new AbortController();
    const second = all(stream.read(0, back.signal));
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(stream.stopSignal.aborted).toBe(false);
    back.abort();
    await second;
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(stream.stopSignal.aborted).toBe(true);
  });
});
