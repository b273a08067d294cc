import { jest } from '@jest/globals';
import type { DownstreamSettings } from '../../config/config.schema.js';
import type { CallContext } from './call-context.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from './downstream-error.js';
import { ResiliencePolicy } from './resilience-policy.js';
import { Counts } from '../report/counts.js';
import { ServiceLog } from '../report/service-log.js';
import { RecordedLog } from '../report/testing/recorded-log.js';
import { testSettings } from './testing/settings.js';
import { VirtualClock } from './testing/virtual-clock.js';

/** Three failures open; one attempt a call. */
function rig(over: Partial<DownstreamSettings> = {}) {
  const clock = new VirtualClock();
  const log = new RecordedLog();
  const health = { asked: 0, answer: (): Promise<boolean> => Promise.resolve(true) };
  const settings = testSettings({ max_retries: 1, ...over });
  const isHealthy = () => {
    health.asked++;
    return health.answer();
  };
  const serviceLog = new ServiceLog(log, 'chroma', 'Chroma Server');
  const counts = new Counts();
  const policy = new ResiliencePolicy('chroma', settings, clock, [serviceLog, counts], isHealthy);
  const call = async (
    userId: string | undefined,
    ends: DownstreamReason | 'fine',
    context: Partial<CallContext> = {},
  ) => {
    const whole = {
      method: 'POST',
      path: '/query',
      route: '/query',
      repeatable: true,
      context: { requestId: 'r', ...(userId === undefined ? {} : { userId }), ...context },
    };
    const run = () =>
      ends === 'fine'
        ? Promise.resolve('fine')
        : Promise.reject(new DownstreamError({ service: 'chroma', reason: ends, message: ends }));
    const ended = policy.execute(whole, run).catch((error: DownstreamError) => error.reason);
    await clock.pass(0);
    return ended;
  };
  const state = () => policy.breaker.breaker.name;
  return { clock, log, health, call, state, counts };
}

beforeEach(() => jest.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => jest.restoreAllMocks());

describe.each(['fault', 'timeout', 'protocol'] as const)('failures by %s', (reason) => {
  it('of one caller alone open only the circuit of that caller while the health route answers', async () => {
    const { call, state, health, log, clock } = rig();
    for (let i = 0; i < 3; i++) expect(await call('eve', reason)).toBe(reason);
    expect(health.asked).toBe(1);
    expect(state()).toBe('closed');
    expect(await call('eve', 'fine')).toBe('circuit_open');
    expect(await call('bob', 'fine')).toBe('fine');
    expect(log.lines.some((line) => line.includes('only that caller is refused'))).toBe(true);
    await clock.pass(10_000);
    expect(await call('eve', 'fine')).toBe('fine');
  });

  it('open the breaker at once where the health route does not answer', async () => {
    const { call, state, health, log } = rig();
    health.answer = () => Promise.reject(new Error('refused'));
    for (let i = 0; i < 3; i++) await call('eve', reason);
    expect(state()).toBe('open');
    expect(log.lines.at(-1)).toBe('[Chroma Server] Circuit breaker OPEN (threshold reached: 3/3)');
    expect(await call('bob', 'fine')).toBe('circuit_open');
  });

  it('of two callers open the breaker without a question', async () => {
    const { call, state, health } = rig();
    await call('eve', reason);
    await call('bob', reason);
    await call('eve', reason);
    expect(state()).toBe('open');
    expect(health.asked).toBe(0);
  });

  it('of a second caller open the breaker when nothing has succeeded since those of the first', async () => {
    const { call, state } = rig();
    for (let i = 0; i < 3; i++) await call('eve', reason);
    expect(state()).toBe('closed');
    await call('bob', reason);
    expect(state()).toBe('open');
  });
});

it('refused connections open the breaker with a single caller too', async () => {
  const { call, state, health } = rig();
  for (let i = 0; i < 3; i++) await call('eve', 'unreachable');
  expect(state()).toBe('open');
  expect(health.asked).toBe(0);
});

it('a success while the health route is asked keeps the breaker closed', async () => {
  const { call, state, health } = rig();
  let answer: (healthy: boolean) => void = () => undefined;
  health.answer = () => new Promise((resolve) => (answer = resolve));
  for (let i = 0; i < 3; i++) await call('eve', 'fault');
  expect(await call('eve', 'fine')).toBe('circuit_open');
  expect(await call('bob', 'fine')).toBe('fine');
  answer(false);
  await call('bob', 'fine');
  expect(state()).toBe('closed');
});

it('requests without a user are told apart by their address, and none of them is refused', async () => {
  const { call, state } = rig();
  for (let i = 0; i < 5; i++) await call(undefined, 'fault', { address: '192.0.2.1' });
  expect(state()).toBe('closed');
  expect(await call(undefined, 'fine', { address: '192.0.2.1' })).toBe('fine');
});

it('failed calls without a caller open the breaker at the threshold', async () => {
  const { call, state } = rig();
  for (let i = 0; i < 3; i++) await call(undefined, 'fault');
  expect(state()).toBe('open');
});

it('a caller whose circuit is open is not tried again', async () => {
  const { call, clock, counts } = rig({ max_retries: 3 });
  const context = { userId: 'eve' };
  const first = call('eve', 'fault');
  await clock.pass(10_000);
  expect(await first).toBe('fault');
  const before = counts.attempts;
  expect(await call(context.userId, 'fault')).toBe('circuit_open');
  expect(counts.attempts).toBe(before);
});
