import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Counts } from '../report/counts.js';
import type { Attempt } from './attempt.js';
import type { CallDetails } from './call.js';
import { DownstreamError } from './downstream-error.js';
import { ResiliencePolicy } from './resilience-policy.js';
import { testSettings } from './testing/settings.js';
import { settle, VirtualClock } from './testing/virtual-clock.js';

const CALLERS = 10_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function rig(over = {}) {
  const clock = new VirtualClock();
  const counts = new Counts();
  const policy = new ResiliencePolicy('chroma', testSettings(over), clock, [counts]);
  const wire: { attempt: Attempt; end: (error?: Error) => void }[] = [];
  const reasons = new Map<string, number>();
  const call = (context: Partial<CallDetails['context']> = {}): CallDetails => ({
    method: 'GET',
    path: '/',
    route: '/',
    context: { requestId: 'r', ...context },
    repeatable: true,
  });
  const run = (attempt: Attempt) =>
    new Promise<void>((resolve, reject) => {
      wire.push({ attempt, end: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  const ask = (callers: number) => {
    for (let i = 0; i < callers; i++) {
      policy.execute(call(), run).then(
        () => reasons.set('ok', (reasons.get('ok') ?? 0) + 1),
        ({ reason }: DownstreamError) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1),
      );
    }
  };
  const endAll = async (error?: Error) => {
    for (const { end } of wire.splice(0)) end(error);
    await settle();
  };
  return { clock, policy, counts, wire, reasons, call, run, ask, endAll };
}
const down = new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'Connection refused' });

it(`${CALLERS} callers at the half-open moment put one request on the wire`, async () => {
  const { clock, ask, endAll, reasons, wire } = rig();
  ask(3);
  await endAll(down);
  await clock.pass(10_000);
  reasons.clear();
  ask(CALLERS);
  await settle();
  expect(wire).toHaveLength(1);
  expect(reasons.get('circuit_open')).toBe(CALLERS - 1);

  await endAll();
  expect(reasons.get('ok')).toBe(1);
  // Normal service within the recovery time plus one call, load coming back in steps.
  ask(CALLERS);
  await settle();
  const steps = [];
  for (; wire.length > 0; await endAll()) steps.push(wire.length);
  expect(steps.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 32]);
  expect(reasons.get('ok')).toBe(1 + steps.reduce((sum, step) => sum + step, 0));
});

it('a full queue refuses calls at once, which is neutral for the breaker', async () => {
  const { ask, policy, reasons, wire, endAll } = rig({ bulkhead: { concurrency: 10, queue: 20, adaptive: false } });
  ask(CALLERS);
  await settle();
  expect(wire).toHaveLength(10);
  expect(reasons.get('saturated')).toBe(CALLERS - 30);
  for (let i = 0; i < 5; i++) await endAll();
  expect(reasons.get('ok')).toBe(30);
  expect(policy.breaker.breaker).toMatchObject({ name: 'closed', failures: 0 });
});

it('a million calls leave no timers, listeners or memory behind', async () => {
  const { clock, policy, counts, call } = rig();
  const { signal } = new AbortController();
  const one = call({ signal, deadlineMs: 1e9 });
  const round = async (calls: number) => {
    for (let i = 0; i < calls; i++) {
      try {
        await policy.execute(one, () => (i % 100 === 0 ? Promise.reject(rejected) : done));
      } catch {
        // A service that says no now and then.
      }
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const rejected = new DownstreamError({ service: 'chroma', reason: 'rejected', message: 'no', status: 404 });
  const done = Promise.resolve('fine');
  const before = await round(100_000);
  const after = await round(900_000);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(clock.pending).toBeLessThanOrEqual(1);
  expect(policy.bulkhead).toMatchObject({ active: 0, queued: 0 });
  expect(counts.attempts).toBe(1_000_000);
  expect(after - before).toBeLessThan(5_000_000);
}, 60_000);
