import { jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { Config } from '../config/config.schema.js';
import { DownstreamError } from '../resilience/policy/downstream-error.js';
import type { ServiceRegistry } from '../resilience/service-registry.js';
import { silentLog } from '../resilience/report/testing/recorded-log.js';
import type { ResilientClient } from '../resilience/wire/resilient-client.js';
import { Outbox, type OutboxHandler } from './outbox.service.js';
import type { NewOutboxEntry, OutboxEntry } from './outbox.store.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

const RETRY_MS = 20;
const away = () => new DownstreamError({ service: 'git', reason: 'unreachable', message: 'Connection refused' });
const entry = (topic: string, key: string): NewOutboxEntry => ({
  topic,
  key,
  userId: 'ann',
  projectId: null,
  payload: {},
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('Outbox', () => {
  let store: SqliteOutboxStore;
  let outbox: Outbox;
  const delivered: string[] = [];
  /** Tells that the breaker of one of several servers has closed. */
  let closed: (url: string) => void;

  const handler = (
    topic: string,
    service: OutboxHandler['service'],
    deliver: OutboxHandler['deliver'],
    endpoint?: string,
  ) =>
    outbox.register({
      topic,
      service,
      endpoint,
      deliver: async (one, call) => {
        await deliver(one, call);
        delivered.push(one.key);
      },
    });

  beforeEach(async () => {
    delivered.length = 0;
    store = new SqliteOutboxStore(':memory:', 1_000_000);
    const config = { outbox: { retry_base_ms: RETRY_MS, retry_max_ms: RETRY_MS, max_attempts: 3, max_bytes: 1e6 } };
    const registry = {
      onStateChange: () => () => undefined,
      onCopyChange: (listener) => {
        closed = (url) => listener({ service: 'chroma', url } as ResilientClient, 'closed');
      },
    } as Partial<ServiceRegistry>;
    outbox = new Outbox(config as Config, store, registry as ServiceRegistry, silentLog as unknown as PinoLogger);
    await outbox.onApplicationBootstrap();
  });
  afterEach(() => outbox.onApplicationShutdown());

  it('tries again what fails while it looks for what is due next', async () => {
    // Both are under way at once; the second one fails while the store says when the first one is due.
    const nextDueMs = store.nextDueMs.bind(store);
    let failSecond: (error: Error) => void = () => undefined;
    store.nextDueMs = async (...args) => {
      const next = await nextDueMs(...args);
      failSecond(away());
      await pause(5);
      return next;
    };
    const tries = { a: 0, b: 0 };
    handler('commit', 'git', ({ key }) => {
      if (++tries[key as 'a' | 'b'] > 1) return Promise.resolve();
      return key === 'a' ? Promise.reject(away()) : new Promise((_, reject) => (failSecond = reject));
    });
    await outbox.send([entry('commit', 'a'), entry('commit', 'b')]);
    await pause(20 * RETRY_MS);
    expect(delivered.sort()).toEqual(['a', 'b']);
  });

  it('delivers to one service while another one hangs, and tries it again', async () => {
    const hanging: (() => void)[] = [];
    handler('turn', 'filesystem', () => new Promise((resolve) => hanging.push(resolve)));
    let tries = 0;
    handler('charge', 'billing', () => (++tries === 1 ? Promise.reject(away()) : Promise.resolve()));
    await outbox.send(Array.from({ length: 20 }, (_, i) => entry('turn', `t${i}`)));
    await outbox.send([entry('charge', 'c')]);
    await pause(10 * RETRY_MS);
    expect(delivered).toEqual(['c']);
    expect(hanging).toHaveLength(4);
    for (let ended = 0; ended < 20; await pause(5)) for (const end of hanging.splice(0)) ended += (end(), 1);
    await pause(20);
    expect(delivered).toHaveLength(21);
  });

  it('leaves a service alone while its breaker is open, and not the others', async () => {
    const open = () =>
      new DownstreamError({ service: 'git', reason: 'circuit_open', message: 'open', retryAfterMs: 10 * RETRY_MS });
    let tries = 0;
    handler('commit', 'git', () => (++tries <= 4 ? Promise.reject(open()) : Promise.resolve()));
    handler('charge', 'billing', () => Promise.resolve());
    await outbox.send(Array.from({ length: 100 }, (_, i) => entry('commit', `c${i}`)));
    await pause(5 * RETRY_MS);
    const [late] = await outbox.hold([entry('commit', 'late')]);
    expect(await outbox.delivery(late as OutboxEntry, 60_000)).toEqual({ delivered: false, reason: 'circuit_open' });
    await outbox.discard([late as OutboxEntry]);
    await outbox.send([entry('charge', 'c')]);
    await pause(2 * RETRY_MS);
    expect({ tries, delivered }).toEqual({ tries: 4, delivered: ['c'] });
    for (let waits = 0; waits < 500 && delivered.length < 101; waits++) await pause(RETRY_MS);
    expect(delivered).toHaveLength(101);
  });

  it('delivers to one of several servers of a service while another one is away, and to that one when it is back', async () => {
    const received: string[] = [];
    let isAway = true;
    const open = () =>
      new DownstreamError({ service: 'chroma', reason: 'circuit_open', message: 'open', retryAfterMs: 60_000 });
    const to = (url: string, fails: () => boolean) =>
      handler(
        'index',
        'chroma',
        ({ key }) => (fails() ? Promise.reject(open()) : Promise.resolve(void received.push(`${key} at ${url}`))),
        url,
      );
    to('http://a', () => false);
    to('http://b', () => isAway);
    const topics = ['index@http://a', 'index@http://b'];
    const held = await outbox.hold(topics.map((topic) => entry(topic, 'one')));
    const deliveries = held.map((one) => outbox.delivery(one, 60_000));
    await outbox.release(held);
    expect(await Promise.all(deliveries)).toEqual([{ delivered: true }, { delivered: false, reason: 'circuit_open' }]);
    await outbox.send(topics.map((topic) => entry(topic, 'two')));
    await pause(5 * RETRY_MS);
    expect(received).toEqual(['one at http://a', 'two at http://a']);
    isAway = false;
    closed('http://b');
    await pause(5 * RETRY_MS);
    expect(received.slice(2)).toEqual(['one at http://b', 'two at http://b']);
  });

  it('gives entries for a server that is not configured any more to all that are', async () => {
    await store.add([entry('index@http://gone', 'a'), entry('index', 'b'), entry('unknown', 'c')], 'ready');
    for (const url of ['http://a', 'http://b']) handler('index', 'chroma', () => Promise.resolve(), url);
    await outbox.onApplicationBootstrap();
    await pause(5 * RETRY_MS);
    expect(delivered.sort()).toEqual(['a', 'a', 'b', 'b']);
    expect(await store.topics()).toEqual(['unknown']);
  });

  it('keeps a new entry in memory while the store takes no writes, says so, and stores and delivers it later', async () => {
    handler('turn', 'filesystem', () => Promise.resolve());
    const [add, release] = [store.add.bind(store), store.release.bind(store)];
    const full = () => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    [store.add, store.release] = [full, full];
    await expect(outbox.hold([entry('turn', 'refused')])).rejects.toThrow('no space left');
    const held = await outbox.holdInAnyCase([entry('turn', 'kept')]);
    expect(await outbox.delivery(held[0] as OutboxEntry, 60_000)).toEqual({ delivered: false, reason: 'saturated' });
    await outbox.release(held);
    [store.add, store.release] = [add, release];
    for (let waits = 0; waits < 100 && delivered.length === 0; waits++) await pause(RETRY_MS);
    expect(delivered).toEqual(['kept']);
  });

  it('waits no longer when the clock is set back', async () => {
    let tries = 0;
    handler('commit', 'git', () => (++tries === 1 ? Promise.reject(away()) : Promise.resolve()));
    await outbox.send([entry('commit', 'a')]);
    await pause(RETRY_MS / 4);
    const now = Date.now.bind(Date);
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000);
    await pause(10 * RETRY_MS);
    clock.mockRestore();
    expect(delivered).toEqual(['a']);
  });

  it('takes up the entries of users by turns, however many one of them has', async () => {
    const order: string[] = [];
    handler('index', 'chroma', async ({ userId }) => {
      order.push(userId);
      await pause(2);
    });
    const of = (userId: string, n: number) =>
      Array.from({ length: n }, (_, i) => ({ ...entry('index', `${userId}${i}`), userId }));
    await outbox.send(of('eve', 500));
    await pause(5);
    const before = order.length;
    await outbox.send([...of('bob', 2), ...of('cid', 1)]);
    await pause(100);
    expect(order.slice(before, before + 16).filter((userId) => userId !== 'eve')).toHaveLength(3);
  });

  it('leaves room for others beside the slow entries of one user', async () => {
    const held: (() => void)[] = [];
    handler('index', 'chroma', ({ userId }) =>
      userId === 'eve' ? new Promise<void>((resolve) => held.push(resolve)) : Promise.resolve(),
    );
    await outbox.send(Array.from({ length: 20 }, (_, i) => ({ ...entry('index', `e${i}`), userId: 'eve' })));
    await pause(5);
    await outbox.send([{ ...entry('index', 'bob'), userId: 'bob' }]);
    await pause(20);
    expect({ held: held.length, delivered }).toEqual({ held: 4, delivered: ['bob'] });
    while (delivered.length < 21) {
      for (const end of held.splice(0)) end();
      await pause(2);
    }
  });

  it('sets an entry aside that ends its service each time while others are taken', async () => {
    handler('index', 'chroma', ({ key }) =>
      key === 'deadly'
        ? Promise.reject(new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'Connection reset' }))
        : Promise.resolve(),
    );
    await outbox.send([entry('index', 'deadly')]);
    for (let i = 0; i < 40 && (await store.dead(1)).length === 0; i++) {
      await outbox.send([entry('index', `good${i}`)]);
      await pause(RETRY_MS);
    }
    expect(await store.dead(10)).toMatchObject([{ key: 'deadly' }]);
  });

  it('counts no refusal by a service whose disk is full', async () => {
    let full = true;
    const noRoom = () => new DownstreamError({ service: 'git', reason: 'rejected', status: 507, message: 'full' });
    handler('commit', 'git', () => (full ? Promise.reject(noRoom()) : Promise.resolve()));
    await outbox.send([entry('commit', 'a')]);
    await pause(20 * RETRY_MS);
    expect(await store.dead(10)).toEqual([]);
    full = false;
    await pause(5 * RETRY_MS);
    expect(delivered).toEqual(['a']);
  });

  it('delivers again what its store could not write down', async () => {
    const remove = store.remove.bind(store);
    const postpone = store.postpone.bind(store);
    const locked = () => Promise.reject(new Error('database is locked'));
    Object.assign(store, { remove: locked, postpone: locked });
    handler('commit', 'git', () => Promise.resolve());
    await outbox.send([entry('commit', 'a')]);
    await pause(3 * RETRY_MS);
    Object.assign(store, { remove, postpone });
    await pause(5 * RETRY_MS);
    expect(delivered.length).toBeGreaterThan(1);
    expect(await store.stats()).toEqual([]);
  });

  it('sets aside what is refused again and again, and delivers it when it is replayed', async () => {
    let good = false;
    handler('commit', 'git', () => (good ? Promise.resolve() : Promise.reject(new Error('no good'))));
    const [sent] = await outbox.send([entry('commit', 'a')]);
    await pause(20 * RETRY_MS);
    expect(await store.dead(10)).toMatchObject([{ id: sent?.id, lastError: 'no good' }]);
    good = true;
    expect(await outbox.replay(sent?.id ?? '')).toBe(true);
    await pause(5 * RETRY_MS);
    expect(delivered).toEqual(['a']);
    expect(await store.stats()).toEqual([]);
  });

  describe('with a handler that takes several entries at once', () => {
    let calls: string[][] = [];
    /** The time that a call takes. */
    let callMs = 5;
    const batches = (
      refuses: (keys: readonly string[]) => Error | undefined = () => undefined,
      maxEntries = 100,
      maxTaken = Infinity,
      gatherMs = 0,
    ) => {
      const deliver = async (given: readonly OutboxEntry[]) => {
        const entries = given.slice(0, maxTaken);
        const keys = entries.map(({ key }) => key);
        calls.push(keys);
        await pause(callMs);
        const error = refuses(keys);
        if (error !== undefined) throw error;
        delivered.push(...keys);
        return keys.length;
      };
      outbox.register({
        topic: 'commit',
        service: 'git',
        deliver: async (one) => void (await deliver([one])),
        batch: { maxEntries, maxChars: 1000, gatherMs: () => gatherMs, deliver },
      });
    };
    const of = (projectId: string, n: number, payload = '') =>
      Array.from({ length: n }, (_, i) => ({ ...entry('commit', `${projectId}${i}`), projectId, payload }));
    const all = async (n: number) => {
      for (let i = 0; i < 200 && delivered.length < n; i++) await pause(5);
    };
    /** A delivered entry is removed a moment later. */
    const removed = async () => {
      for (let i = 0; i < 200 && (await store.stats()).length > 0; i++) await pause(5);
    };
    beforeEach(() => {
      calls = [];
      callMs = 5;
    });

    it('delivers what waits of a project in one call, in order, one call at a time', async () => {
      callMs = 300;
      batches();
      await outbox.send(of('a', 1));
      await pause(1);
      for (let i = 1; i < 5; i++) await outbox.send([{ ...entry('commit', `a${i}`), projectId: 'a' }]);
      await all(5);
      await removed();
      expect(calls).toEqual([['a0'], ['a1', 'a2', 'a3', 'a4']]);
      expect(await store.stats()).toEqual([]);
    });

    it('limits the entries and the characters of a call, and two entries of one key never share one', async () => {
      batches(undefined, 3);
      await outbox.send([...of('a', 4), ...of('b', 3, 'x'.repeat(600)), ...of('c', 1), ...of('c', 1)]);
      await all(9);
      expect(calls.map((keys) => keys.length).toSorted()).toEqual([1, 1, 1, 1, 1, 1, 3]);
      expect(delivered).toHaveLength(9);
    });

    it('lets entries gather for the next call of a project, and no other project waits for that', async () => {
      batches(undefined, 100, Infinity, 600);
      await outbox.send(of('a', 1));
      await all(1);
      for (let i = 1; i < 5; i++) {
        await outbox.send([{ ...entry('commit', `a${i}`), projectId: 'a' }]);
        await pause(10);
      }
      await outbox.send(of('b', 1));
      await all(6);
      expect(calls).toEqual([['a0'], ['b0'], ['a1', 'a2', 'a3', 'a4']]);
    });

    it('sends full calls without a wait', async () => {
      batches(undefined, 4, Infinity, 60_000);
      await outbox.send(of('a', 12));
      await all(12);
      expect(calls.map((keys) => keys.length)).toEqual([4, 4, 4]);
    });

    it('delivers the entries that a call has left by further calls, in order', async () => {
      batches(undefined, 100, 2);
      const [first, , third] = await outbox.hold(of('a', 5));
      const held = await store.pending('commit', 'ann');
      const waits = [first, third].map((one) => outbox.delivery(one as OutboxEntry, 1000));
      await outbox.release(held);
      expect(await Promise.all(waits)).toEqual([{ delivered: true }, { delivered: true }]);
      await all(5);
      await removed();
      expect(calls).toEqual([['a0', 'a1'], ['a2', 'a3'], ['a4']]);
      expect(await store.stats()).toEqual([]);
    });

    it('isolates the entry that a service refuses, and sets only that one aside', async () => {
      batches((keys) => (keys.includes('a17') ? new Error('no good') : undefined));
      await outbox.send(of('a', 40));
      await all(39);
      for (let i = 0; i < 100 && (await store.dead(1)).length === 0; i++) await pause(RETRY_MS);
      expect(await store.dead(10)).toMatchObject([{ key: 'a17', lastError: 'no good' }]);
      expect(new Set(delivered).size).toBe(39);
      expect(delivered).toHaveLength(39);
    });

    it('isolates the entry that ends the service each time, without an attempt against its neighbours', async () => {
      batches((keys) => (keys.includes('a3') ? away() : undefined));
      await outbox.send(of('a', 8));
      for (let i = 0; i < 60 && (await store.dead(1)).length === 0; i++) {
        await outbox.send(of(`later${i}-`, 1));
        await pause(RETRY_MS);
      }
      expect(await store.dead(10)).toMatchObject([{ key: 'a3' }]);
      expect(delivered.filter((key) => key.startsWith('a'))).toHaveLength(7);
    });

    it('counts no attempt while the service is away, and delivers everything when it is back', async () => {
      let isAway = true;
      batches(() => (isAway ? away() : undefined));
      await outbox.send(of('a', 20));
      await pause(20 * RETRY_MS);
      expect(await store.pending('commit', 'ann')).toHaveLength(20);
      expect((await store.pending('commit', 'ann')).every(({ attempts }) => attempts === 0)).toBe(true);
      isAway = false;
      await all(20);
      expect(delivered.toSorted()).toEqual(
        of('a', 20)
          .map(({ key }) => key)
          .toSorted(),
      );
    });

    it('takes the projects of one user in turns, however many entries one of them has', async () => {
      batches(undefined, 10);
      await outbox.send(of('a', 600));
      await pause(1);
      await outbox.send(of('b', 1));
      await all(50);
      expect(delivered.indexOf('b0')).toBeGreaterThan(-1);
      expect(delivered.indexOf('b0')).toBeLessThan(30);
    });
  });

  it('takes the projects of one user in turns for single deliveries too', async () => {
    handler('index', 'chroma', async () => {
      await pause(2);
    });
    const of = (projectId: string, n: number) =>
      Array.from({ length: n }, (_, i) => ({ ...entry('index', `${projectId}${i}`), projectId }));
    await outbox.send(of('a', 300));
    await pause(5);
    await outbox.send(of('b', 2));
    await pause(100);
    expect(delivered.slice(0, 30).filter((key) => key.startsWith('b'))).toHaveLength(2);
  });
});
