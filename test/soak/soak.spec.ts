import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Axios from 'axios';
import { chromaContract } from '../../src/downstream/chroma/chroma.contract.js';
import { systemClock } from '../../src/resilience/policy/clock.js';
import { HttpTransport } from '../../src/resilience/wire/http-transport.js';
import { ResilientClient } from '../../src/resilience/wire/resilient-client.js';
import { silentLog } from '../../src/resilience/report/testing/recorded-log.js';
import { testSettings } from '../../src/resilience/policy/testing/settings.js';
import { internalHeaders } from '../../src/resilience/wire/wire-headers.js';
import { type Behaviour, hang, json, MisbehavingServer, reset, resetInBody } from '../misbehaving-server.js';

const CALLS = Number(process.env['CAUDEX_CALLS'] ?? '10000');
const CALLERS = 32;
/** After this number of calls the held resources must not grow. */
const WARM_UP = Math.min(100_000, CALLS / 2);
const MIB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe(`${CALLS} calls over sockets (CAUDEX_CALLS)`, () => {
  const server = new MisbehavingServer();
  let served = 0;
  /** A service that fails one request in a hundred. */
  const behaviour: Behaviour = (socket, head) => {
    served++;
    if (served % 1000 === 0) server.requests.length = 0;
    const ill = [json({}, 500), reset, json({}, 404), resetInBody, json({ removed: 1 })];
    const one = served % 100 !== 0 ? json({ removed: true }) : served % 10_000 === 0 ? hang : ill[(served / 100) % 5];
    one?.(socket, head);
  };

  beforeAll(() => server.start());
  afterAll(() => server.stop());

  it('leave no sockets, timers, listeners and memory behind', async () => {
    server.will(behaviour);
    const client = new ResilientClient({
      service: 'chroma',
      title: 'Chroma Server',
      settings: testSettings({
        url: server.url,
        timeout_ms: 500,
        retry_base_ms: 1,
        failure_threshold: 1000,
        retry_budget: { ratio: 1, reserve: 1000, refill_per_s: 0 },
      }),
      connect: ({ url, timeout_ms }) => new HttpTransport(Axios.create(), { url: url as string }, timeout_ms),
      headers: internalHeaders('secret', systemClock),
      sink: silentLog,
    });
    const { signal } = new AbortController();
    const ends = new Map<string, number>();
    const round = async (calls: number) => {
      let left = calls;
      const caller = async () => {
        while (left-- > 0) {
          const context = { requestId: 'r', signal, deadlineMs: performance.now() + 10_000 };
          const end = await client.call(chromaContract.remove, { body: { project_id: 'p', path: 'a' } }, context).then(
            () => 'fine',
            ({ reason }: { reason: string }) => reason,
          );
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      await new Promise((resolve) => setTimeout(resolve, 200));
      collectGarbage();
      const held = process.getActiveResourcesInfo();
      return {
        sockets: server.open.size,
        timers: held.filter((resource) => resource === 'Timeout').length,
        listeners: getEventListeners(signal, 'abort').length,
        heapMib: process.memoryUsage().heapUsed / MIB,
      };
    };
    const before = await round(WARM_UP);
    const after = await round(CALLS - WARM_UP);
    console.log(`${CALLS} calls`, Object.fromEntries(ends), { before, after, connectionsMade: server.connections });
    expect([...ends.values()].reduce((sum, n) => sum + n)).toBe(CALLS);
    expect(ends.get('fine')).toBeGreaterThan(0.99 * CALLS);
    expect(ends.get('rejected')).toBeGreaterThan(0);
    // While one caller's connection is being put back, undici's pool may make another one.
    expect(after.sockets).toBeLessThanOrEqual(3 * CALLERS);
    expect(after.timers).toBeLessThanOrEqual(before.timers + 1);
    expect(after.listeners).toBe(0);
    expect(after.heapMib - before.heapMib).toBeLessThan(5);
    await client.onApplicationShutdown();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.open.size).toBe(0);
  }, 600_000);
});
