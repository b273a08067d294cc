// What the resilient client costs for each call, side by side with cockatiel's plain composition and with opossum around
// the same no-op. Run after "npm run build". Prints ratios, and fails when a limit is broken.
import {
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import { pino } from 'pino';
import { z } from 'zod';
import { systemClock } from '../dist/resilience/policy/clock.js';
import { ResilientClient } from '../dist/resilience/wire/resilient-client.js';
import { ResiliencePolicy } from '../dist/resilience/policy/resilience-policy.js';
import { Counts } from '../dist/resilience/report/counts.js';
import { History } from '../dist/resilience/report/history.js';
import { ServiceLog } from '../dist/resilience/report/service-log.js';
import { internalHeaders } from '../dist/resilience/wire/wire-headers.js';

const ROUNDS = 15;
const CALLS = 20_000;
const REJECTION_LIMIT_US = 5;

const settings = {
  url: 'http://127.0.0.1:1',
  max_retries: 3,
  retry_base_ms: 1000,
  timeout_ms: 15_000,
  failure_threshold: 5,
  recovery_timeout_ms: 3_600_000,
  breaker: { kind: 'consecutive', window_ms: 60_000, min_calls: 20, failure_rate: 0.5, slow_call_ms: 5000 },
  bulkhead: { concurrency: 128, queue: 256 },
  retry_budget: { ratio: 0.1, reserve: 10, refill_per_s: 0.1 },
  fault_drill: { enabled: false, latency_ms: 0, error_rate: 0, reset_rate: 0 },
};

const noop = async () => 'fine';
const fails = async () => {
  throw new Error('down');
};

function sinkAt(level) {
  const logger = pino({ level, base: null }, pino.destination({ dest: '/dev/null', sync: true }));
  return Object.assign(Object.create(logger), { logger });
}

function makeCockatiel() {
  return wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker: new ConsecutiveBreaker(5) }),
    timeout(15_000, TimeoutStrategy.Aggressive),
  );
}

function makeOpossum(action) {
  return new CircuitBreaker(action, { timeout: 15_000, resetTimeout: 3_600_000, volumeThreshold: 5 });
}

const call = { method: 'POST', path: '/query', route: '/query', context: { requestId: 'r' }, repeatable: true };
function makePolicy() {
  const log = new ServiceLog(sinkAt('warn'), 'chroma', 'Chroma Server');
  return new ResiliencePolicy('chroma', settings, systemClock, [log, new Counts(), new History(systemClock)]);
}

const endpoint = {
  method: 'POST',
  path: '/query',
  body: z.strictObject({ query: z.string() }),
  response: z.object({ ok: z.boolean() }),
  idempotent: true,
};
const body = Buffer.from('{"ok":true}');
function makeClient(level) {
  return new ResilientClient({
    service: 'chroma',
    title: 'Chroma Server',
    settings,
    connect: () => ({ send: async () => ({ status: 200, headers: {}, body }), end: async () => undefined }),
    headers: internalHeaders('secret', systemClock),
    sink: sinkAt(level),
  });
}
const input = { body: { query: 'what is it' } };
const context = { requestId: 'r', userId: 'u' };

/** Microseconds for each call. */
async function time(run) {
  const beganAt = performance.now();
  for (let i = 0; i < CALLS; i++) await run();
  return ((performance.now() - beganAt) * 1000) / CALLS;
}

/** The median of interleaved rounds, so that what else the machine does hits all alike. */
async function compare(title, contestants) {
  const times = new Map(Object.keys(contestants).map((name) => [name, []]));
  for (const run of Object.values(contestants)) await time(run);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries(contestants)) times.get(name).push(await time(run));
  }
  const medians = new Map([...times].map(([name, list]) => [name, list.sort((a, b) => a - b)[ROUNDS >> 1]]));
  const base = medians.values().next().value;
  console.log(`\n${title}`);
  for (const [name, us] of medians) {
    console.log(`  ${name.padEnd(46)} ${us.toFixed(2).padStart(7)} µs  ${(us / base).toFixed(2).padStart(6)} ×`);
  }
  return (name) => medians.get(name);
}

const swallow = (promise) => promise.then(undefined, () => undefined);

const cockatiel = makeCockatiel();
const opossum = makeOpossum(noop);
const policy = makePolicy();
const quiet = makeClient('warn');
const talking = makeClient('info');
const healthy = await compare('A healthy call around a no-op (1.00 = cockatiel)', {
  'cockatiel wrap(retry, breaker, timeout)': () => cockatiel.execute(noop),
  opossum: () => opossum.fire(),
  'our policy alone': () => policy.execute(call, noop),
  'our whole client, log level warn': () => quiet.call(endpoint, input, context),
  'our whole client, log level info': () => talking.call(endpoint, input, context),
  'the no-op alone': noop,
});

const openCockatiel = circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker: new ConsecutiveBreaker(1) });
await swallow(openCockatiel.execute(fails));
const openOpossum = makeOpossum(fails);
openOpossum.open();
const openPolicy = makePolicy();
openPolicy.breaker.breaker.isolate('bench');
const openClient = makeClient('warn');
openClient.isolate('bench');
const rejection = await compare('A rejection by an open breaker (1.00 = opossum)', {
  opossum: () => swallow(openOpossum.fire()),
  "cockatiel's breaker alone": () => swallow(openCockatiel.execute(noop)),
  'our policy alone': () => swallow(openPolicy.execute(call, noop)),
  'our whole client, log level warn': () => swallow(openClient.call(endpoint, input, context)),
});

const limits = [
  [
    'our policies cost less than 0.35 of cockatiel put together plainly',
    healthy('our policy alone') / healthy('cockatiel wrap(retry, breaker, timeout)'),
    0.35,
    '×',
  ],
  [
    'our whole client costs less than cockatiel put together plainly',
    healthy('our whole client, log level warn') / healthy('cockatiel wrap(retry, breaker, timeout)'),
    1,
    '×',
  ],
  [
    'our rejection costs less than 5 µs more than that of opossum',
    rejection('our whole client, log level warn') - rejection('opossum'),
    REJECTION_LIMIT_US,
    'µs',
  ],
];
console.log('\nLimits');
for (const [what, value, limit, unit] of limits) {
  const held = value < limit;
  console.log(`  ${held ? 'held  ' : 'BROKEN'} ${what}: ${value.toFixed(2)} ${unit} (below ${limit} ${unit})`);
  if (!held) process.exitCode = 1;
}
opossum.shutdown();
openOpossum.shutdown();
