import { setTimeout as wait } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import type { Config } from '../../config/config.schema.js';
import { silentLog } from '../../resilience/report/testing/recorded-log.js';
import { Deletions } from '../call/deletions.js';
import { describeWithRedis, eventually, RealRedis } from '../redis/testing/real-redis.js';
import type { ChatEvent } from './chat-events.js';
import type { MessageStream } from './message-stream.js';
import { MessageStreams } from './message-streams.service.js';
import { SharedStreams } from './shared-streams.service.js';

const config = { chat: { max_streams_per_user: 5, resume_ms: 60_000, detached_ms: 200 } } as Config;
const about = { projectId: 'p', conversationId: 'c' };
const delta = (text: string): ChatEvent => ({ type: 'text-delta', id: 'text', delta: text });
const never = new AbortController().signal;

async function textOf(stream: MessageStream | undefined, after = 0, signal = never): Promise<string> {
  let text = '';
  for await (const { event } of stream?.read(after, signal) ?? []) {
    text += event.type === 'text-delta' ? event.delta : `<${event.type}>`;
  }
  return text;
}

describeWithRedis('answers at two backends with one Redis', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterEach(() => redis.closeLinks());
  afterAll(() => redis.remove());

  async function backend() {
    const link = await redis.link();
    const deletions = new Deletions(null, silentLog as unknown as PinoLogger);
    return { link, deletions, streams: new MessageStreams(config, deletions, new SharedStreams(link, config), link) };
  }
  let messages = 0;
  const nextId = () => `m${messages++}`;

  it('can be read at the other one while they are written, from any event, and afterwards', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    const stream = a.streams.open(id, 'ann', about);
    stream.push(delta('one '));
    await eventually(async () => (await b.streams.find(id, 'ann')) !== undefined);
    const reading = textOf(await b.streams.find(id, 'ann'));
    for (const word of ['two ', 'three ']) {
      await wait(80);
      stream.push(delta(word));
    }
    a.streams.close(stream);
    expect(await reading).toBe('one two three ');
    expect(await textOf(await b.streams.find(id, 'ann'), 1)).toBe('two three ');
  });

  it('are found by their conversation, and not by another user', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    const stream = a.streams.open(id, 'ann', { projectId: 'p', conversationId: id });
    await eventually(async () => (await b.streams.writing(id, 'ann'))?.messageId === id);
    expect(await b.streams.find(id, 'bob')).toBeUndefined();
    expect(await b.streams.writing(id, 'bob')).toBeUndefined();
    a.streams.close(stream);
    await eventually(async () => (await (await backend()).streams.writing(id, 'ann')) === undefined);
  });

  it('continue while the other backend reads them, and stop some time after the last reader has left', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    const stream = a.streams.open(id, 'ann', about);
    const first = new AbortController();
    const reading = textOf(stream, 0, first.signal);
    stream.push(delta('a'));
    await eventually(async () => (await b.streams.find(id, 'ann')) !== undefined);
    const second = new AbortController();
    const readingThere = textOf(await b.streams.find(id, 'ann'), 0, second.signal);
    await wait(100);
    first.abort();
    await reading;
    await wait(3 * config.chat.detached_ms);
    expect(stream.stopSignal.aborted).toBe(false);
    second.abort();
    await readingThere;
    for (let i = 0; i < 200 && !stream.stopSignal.aborted; i++) await wait(50);
    expect(stream.stopSignal.aborted).toBe(true);
    a.streams.close(stream);
  }, 30_000);

  it('can be stopped at the other one', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    const stream = a.streams.open(id, 'ann', about);
    await eventually(async () => {
      const there = await b.streams.find(id, 'ann');
      if (there !== undefined) b.streams.stop(there);
      return stream.stopSignal.aborted;
    });
    a.streams.close(stream);
  });

  it('end with an error where their backend was killed', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    a.streams.open(id, 'ann', about).push(delta('half'));
    await eventually(async () => (await b.streams.find(id, 'ann')) !== undefined);
    await a.link.close();
    expect(await textOf(await b.streams.find(id, 'ann'))).toBe('half<error>');
  }, 30_000);

  it('are gone at both when their conversation is deleted', async () => {
    const [a, b] = [await backend(), await backend()];
    const id = nextId();
    const stream = a.streams.open(id, 'ann', { projectId: null, conversationId: id });
    stream.push(delta('secret'));
    a.streams.close(stream);
    await eventually(async () => (await b.streams.find(id, 'ann')) !== undefined);
    await a.deletions.deleted({ kind: 'conversation', userId: 'ann', conversationId: id });
    await eventually(async () => (await a.streams.find(id, 'ann')) === undefined);
    await eventually(async () => (await b.streams.find(id, 'ann')) === undefined);
  });

  it('stay with their backend while Redis is away', async () => {
    const a = await backend();
    await redis.stop();
    const id = nextId();
    const stream = a.streams.open(id, 'ann', about);
    stream.push(delta('all of it'));
    a.streams.close(stream);
    expect(await textOf(await a.streams.find(id, 'ann'))).toBe('all of it');
    await redis.start();
    await eventually(async () => a.link.isUsable);
  });
});
