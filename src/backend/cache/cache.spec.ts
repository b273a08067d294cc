import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cache } from './cache.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';
import { SharedCache } from './shared-cache.js';

const TTL_MS = 60_000;
const silent = { info: () => undefined, warn: () => undefined };
const memory = () => new MemoryCache({ maxBytes: 1_000_000, ttlMs: TTL_MS });

async function keep(cache: Cache, scope: string, key: string, value: unknown): Promise<void> {
  (await cache.open(scope, key)).keep(value, 10);
}
const valueOf = async (cache: Cache, scope: string, key: string) => (await cache.open(scope, key)).value;

async function eventually(probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await probe()) return;
    await wait(25);
  }
  throw new Error('waited 5 s in vain');
}

function keepsItsPromises(make: () => Promise<Cache>): void {
  it('finds a stored value, in its scope only', async () => {
    const cache = await make();
    await keep(cache, 'ann/p', 'k', { text: 'größe', n: [1, null] });
    await eventually(async () => (await valueOf(cache, 'ann/p', 'k')) !== undefined);
    expect(await valueOf(cache, 'ann/p', 'k')).toEqual({ text: 'größe', n: [1, null] });
    expect(await valueOf(cache, 'bob/p', 'k')).toBeUndefined();
    expect(await valueOf(cache, 'ann/p', 'other')).toBeUndefined();
  });

  it('finds nothing in a scope that was emptied, and all values of other scopes', async () => {
    const cache = await make();
    await keep(cache, 'ann/p', 'k', 1);
    await keep(cache, 'ann/q', 'k', 2);
    await eventually(async () => (await valueOf(cache, 'ann/q', 'k')) === 2);
    cache.empty('ann/p');
    expect(await valueOf(cache, 'ann/p', 'k')).toBeUndefined();
    expect(await valueOf(cache, 'ann/q', 'k')).toBe(2);
    await keep(cache, 'ann/p', 'k', 3);
    await eventually(async () => (await valueOf(cache, 'ann/p', 'k')) === 3);
  });

  it('does not store a value that became outdated during its computation', async () => {
    const cache = await make();
    const slot = await cache.open('ann/p', 'k');
    cache.empty('ann/p');
    await cache.open('ann/p', 'other');
    slot.keep('old', 10);
    await wait(20);
    expect(await valueOf(cache, 'ann/p', 'k')).toBeUndefined();
  });
}

describe('MemoryCache', () => {
  keepsItsPromises(async () => memory());

  it('drops the oldest when it is full', async () => {
    const cache = new MemoryCache({ maxBytes: 25, ttlMs: TTL_MS });
    for (const key of ['a', 'b', 'c']) await keep(cache, 's', key, key);
    expect(await valueOf(cache, 's', 'a')).toBeUndefined();
    expect(await valueOf(cache, 's', 'c')).toBe('c');
  });
});

const REDIS = 'redis-server';
const available = (process.env['PATH'] ?? '').split(delimiter).some((dir) => {
  try {
    accessSync(join(dir, REDIS), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});
if (!available) console.warn(`${REDIS} is not on the PATH: the shared cache is not tested against a real one`);

(available ? describe : describe.skip)('SharedCache on a real Redis', () => {
  let port: number;
  let dir: string;
  let redis: ChildProcess;
  const opened: SharedCache[] = [];

  const start = async () => {
    redis = spawn(REDIS, ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '1 1'], {
      stdio: 'ignore',
    });
    await eventually(
      () =>
        new Promise((resolve) => {
          const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
          socket.end();
        }),
    );
  };
  const stop = async (signal: NodeJS.Signals) => {
    if (redis.exitCode !== null || redis.signalCode !== null) return;
    redis.kill(signal);
    await once(redis, 'exit');
  };
  /** As one backend has it. */
  const backend = async () => {
    const shared = new RedisCache(
      { url: `redis://127.0.0.1:${port}`, password: undefined },
      { ttlMs: TTL_MS, patienceMs: 50 },
      silent,
    );
    const cache = new SharedCache(memory(), shared);
    opened.push(cache);
    await eventually(async () => (await shared.find('any', 'any')) !== null);
    return cache;
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-redis-'));
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    server.close();
    await start();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((cache) => cache.onApplicationShutdown()));
  });
  afterAll(async () => {
    await stop('SIGKILL');
    rmSync(dir, { recursive: true });
  });

  keepsItsPromises(backend);

  it('is shared by several backends: each finds the values of the others, and none after another has emptied the scope', async () => {
    const [a, b] = [await backend(), await backend()];
    await keep(a, 'ann/p', 'k', 'shared');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === 'shared');
    b.empty('ann/p');
    await eventually(async () => (await valueOf(a, 'ann/p', 'k')) === undefined);
  });

  it('uses the memory without a delay while Redis hangs or is unavailable, and returns no outdated values afterwards', async () => {
    const [a, b] = [await backend(), await backend()];
    await keep(a, 'ann/p', 'k', 'old');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === 'old');

    redis.kill('SIGSTOP');
    const beganAt = performance.now();
    expect(await valueOf(a, 'ann/p', 'k')).toBe('old');
    for (let i = 0; i < 100; i++) await valueOf(a, 'ann/p', 'k');
    expect(performance.now() - beganAt).toBeLessThan(500);
    a.empty('ann/p');
    expect(await valueOf(a, 'ann/p', 'k')).toBeUndefined();

    redis.kill('SIGCONT');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === undefined);
    await eventually(async () => {
      await keep(a, 'ann/p', 'k', 'new');
      return (await valueOf(b, 'ann/p', 'k')) === 'new';
    });

    await stop('SIGKILL');
    await wait(50);
    await keep(b, 'ann/p', 'own', 1);
    expect(await valueOf(b, 'ann/p', 'own')).toBe(1);
    await start();
    await eventually(async () => {
      await keep(a, 'ann/p', 'again', 2);
      return (await valueOf(b, 'ann/p', 'again')) === 2;
    });
  });
});
