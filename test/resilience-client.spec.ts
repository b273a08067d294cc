import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import Axios from 'axios';
import { ConstantBackoff, handleAll, retry } from 'cockatiel';
import { loadConfig } from '../src/config/config.loader.js';
import { CONFIG } from '../src/config/config.module.js';
import type { DownstreamSettings } from '../src/config/config.schema.js';
import { ChromaClient } from '../src/downstream/chroma/chroma.client.js';
import { chromaContract } from '../src/downstream/chroma/chroma.contract.js';
import { ChromaModule } from '../src/downstream/chroma/chroma.module.js';
import { LoggingModule } from '../src/http/logging.module.js';
import type { CallContext } from '../src/resilience/policy/call-context.js';
import { systemClock } from '../src/resilience/policy/clock.js';
import type { DownstreamError } from '../src/resilience/policy/downstream-error.js';
import { HttpTransport } from '../src/resilience/wire/http-transport.js';
import { ResilientClient } from '../src/resilience/wire/resilient-client.js';
import { ServiceRegistry } from '../src/resilience/service-registry.js';
import { RecordedLog } from '../src/resilience/report/testing/recorded-log.js';
import { testSettings } from '../src/resilience/policy/testing/settings.js';
import { bearerHeaders, internalHeaders } from '../src/resilience/wire/wire-headers.js';
import {
  answer,
  type Behaviour,
  garbage,
  hang,
  hangInBody,
  json,
  MisbehavingServer,
  reset,
  resetInBody,
} from './misbehaving-server.js';

const server = new MisbehavingServer();
const log = new RecordedLog();
const clients: ResilientClient[] = [];
const fine = json({ removed: true });
const input = { body: { project_id: 'p', path: 'a b/ü' } };

function client(over: Partial<DownstreamSettings> = {}): ResilientClient {
  const settings = testSettings({
    url: server.url,
    timeout_ms: 200,
    retry_base_ms: 10,
    failure_threshold: 100,
    ...over,
  });
  const made = new ResilientClient({
    service: 'chroma',
    title: 'Chroma Server',
    settings,
    connect: ({ url, timeout_ms }) => new HttpTransport(Axios.create(), { url: url as string }, timeout_ms),
    healthPath: '/health/live',
    headers: over.idle_timeout_ms === undefined ? internalHeaders('secret', systemClock) : bearerHeaders('key'),
    sink: log,
  });
  clients.push(made);
  return made;
}
const remove = (over: Partial<DownstreamSettings> = {}, context: Partial<CallContext> = {}) =>
  client(over).call(chromaContract.remove, input, { requestId: 'r1', ...context });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: DownstreamError) => error,
  );
const until = async (done: () => boolean, limitMs = 1000) => {
  for (let i = 0; i < limitMs / 10 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(done()).toBe(true);
};

beforeAll(() => server.start());
afterAll(() => server.stop());
beforeEach(() => void (log.lines.length = 0));
afterEach(async () => {
  await Promise.all(clients.splice(0).map((made) => made.onApplicationShutdown()));
});

describe('what goes over the wire', () => {
  it('follows the contract and the call context', async () => {
    server.will(fine);
    const context = {
      userId: 'u1',
      idempotencyKey: 'k1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      deadlineMs: performance.now() + 150,
    };
    expect(await remove({}, context)).toEqual({ removed: true });
    const [request = ''] = server.requests;
    expect(request).toMatch(/^POST \/documents\/remove HTTP\/1\.1\r\n/);
    expect(request).toMatch(/\r\n\r\n\{"project_id":"p","path":"a b\/ü"\}$/);
    for (const header of [
      'x-internal-token: secret',
      'x-request-id: r1',
      'x-user-id: u1',
      'idempotency-key: k1',
      'x-attempt: 1',
      `traceparent: ${context.traceparent}`,
      'content-type: application/json',
    ])
      expect(request.toLowerCase()).toContain(`\r\n${header}\r\n`);
    expect(Number(/x-request-timeout-ms: (\d+)/i.exec(request)?.[1])).toBeGreaterThan(0);
    expect(Number(/x-request-timeout-ms: (\d+)/i.exec(request)?.[1])).toBeLessThanOrEqual(150);
  });

  it('has its parameters encoded, and no unset ones', async () => {
    server.will(json({ documents: 0, passages: 0, embedder: 'e', stale_passages: 0 }));
    await client().call(chromaContract.describe, { params: { project_id: 'a/b?c#ü' } }, { requestId: 'r' });
    expect(server.requests[0]).toMatch(/^GET \/projects\/a%2Fb%3Fc%23%C3%BC HTTP/);
    expect(server.requests[0]).not.toMatch(/x-user-id|idempotency|undefined/i);
  });

  it('never violates the contract', async () => {
    server.will(fine);
    const wrong = { body: { project_id: '', path: 'a' } };
    const error = await failure(client().call(chromaContract.remove, wrong, { requestId: 'r' }));
    expect(error).toMatchObject({ reason: 'rejected', status: 400, problem: { code: 'invalid_request' } });
    expect(error.message).toMatch(/^body\.project_id: /);
    expect(server.requests).toEqual([]);
  });

  it('shares few connections among many calls, large ones too', async () => {
    const made = client({ timeout_ms: 5000 });
    server.will(json({ removed: true, padding: 'x'.repeat(1_000_000) }));
    const before = server.connections;
    for (let i = 0; i < 20; i++) {
      await made.call(
        chromaContract.remove,
        { body: { project_id: 'p', path: 'y'.repeat(500_000) } },
        { requestId: 'r' },
      );
    }
    expect(server.connections - before).toBeLessThanOrEqual(2);
  });
});

describe('a server that misbehaves', () => {
  const cases: [what: string, behaviour: Behaviour, reason: string, line: RegExp][] = [
    ['resets before the answer', reset, 'unreachable', /Connection failed on attempt 1\/3: Connection reset/],
    ['resets in the body', resetInBody, 'unreachable', /Connection failed on attempt 1\/3: Connection reset/],
    ['hangs before the headers', hang, 'timeout', /Timeout on attempt 1\/3: no answer after 2\d\d ms/],
    ['hangs in the body', hangInBody, 'timeout', /Timeout on attempt 1\/3: no answer after 2\d\d ms/],
    ['answers 500', json({}, 500), 'fault', /Server error 500 on attempt 1\/3/],
    ['speaks no HTTP', garbage, 'protocol', /Answer breaks the contract on attempt 1\/3: not an HTTP answer/],
    ['sends garbage', answer(200, '{"rem'), 'protocol', /attempt 1\/3: the body is not JSON/],
    ['sends the wrong shape', json({ removed: 'yes' }), 'protocol', /attempt 1\/3: response\.removed: /],
    ['sends the wrong status', json({ removed: true }, 202), 'protocol', /attempt 1\/3: status 202 instead of 200/],
    ['redirects', answer(302, '', { location: '/elsewhere' }), 'protocol', /attempt 1\/3: status 302 instead of 200/],
    ['asks for fewer calls', json({}, 429), 'saturated', /Saturated on attempt 1\/3/],
  ];
  it.each(cases)('%s: is tried again, and the second answer is used', async (_, behaviour, __, line) => {
    server.will(behaviour, fine);
    expect(await remove()).toEqual({ removed: true });
    expect(server.requests.map((request) => /x-attempt: (\d)/i.exec(request)?.[1])).toEqual(['1', '2']);
    expect(log.lines[0]).toBe('[Chroma Server] POST /documents/remove (attempt 1/3)');
    expect(log.lines[1]).toMatch(line);
    expect(log.lines.slice(2)).toEqual([
      '[Chroma Server] Retrying in 0.01s...',
      '[Chroma Server] POST /documents/remove (attempt 2/3)',
      '[Chroma Server] ✓ POST /documents/remove succeeded',
    ]);
  });
  it.each(cases)('%s, always: the caller gets the reason', async (_, behaviour, reason) => {
    server.will(behaviour);
    expect(await failure(remove())).toMatchObject({ name: 'DownstreamError', service: 'chroma', reason });
    expect(server.requests).toHaveLength(3);
    expect(log.lines.at(-1)).toBe('[Chroma Server] ✗ All 3 retry attempts failed');
  });

  it('refuses the connection', async () => {
    const error = await failure(remove({ url: 'http://127.0.0.1:1' }));
    expect(error.reason).toBe('unreachable');
    expect(log.lines[1]).toBe('[Chroma Server] Connection failed on attempt 1/3: Connection refused');
  });

  it('rejects the call: that is an answer', async () => {
    server.will(json({ code: 'not_found', detail: 'There is no such project.' }, 404));
    const made = client({ failure_threshold: 1 });
    const error = await failure(made.call(chromaContract.remove, input, { requestId: 'r' }));
    expect(error).toMatchObject({ reason: 'rejected', status: 404, problem: { code: 'not_found' } });
    expect(server.requests).toHaveLength(1);
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0, last_failure: null });
  });

  it('sends Retry-After: it is honoured', async () => {
    server.will(answer(503, '', { 'retry-after': '1' }), fine);
    const beganAt = performance.now();
    await remove();
    expect(performance.now() - beganAt).toBeGreaterThan(990);
    expect(log.lines).toContain('[Chroma Server] Retrying in 1s...');
  });

  it('has tried itself and sends X-Do-Not-Retry: it is not tried again', async () => {
    server.will(answer(502, '', { 'x-do-not-retry': '1' }));
    expect((await failure(remove())).reason).toBe('fault');
    expect(server.requests).toHaveLength(1);
  });

  it('leaves no socket behind', async () => {
    const made = client({ retry_budget: { ratio: 1, reserve: 1000, refill_per_s: 0 } });
    server.will(
      json({}, 500),
      hang,
      hangInBody,
      json({ removed: 1 }),
      resetInBody,
      answer(429, 'x'.repeat(100_000)),
      fine,
    );
    await Promise.allSettled(
      Array.from({ length: 20 }, () => made.call(chromaContract.remove, input, { requestId: 'r' })),
    );
    server.will(fine);
    const before = server.connections;
    for (let i = 0; i < 20; i++) await made.call(chromaContract.remove, input, { requestId: 'r' });
    expect(server.connections - before).toBeLessThanOrEqual(2);
    await made.onApplicationShutdown();
    await until(() => server.open.size === 0);
  });
});

describe('the end of a call', () => {
  it.each([
    ['before the headers', hang],
    ['in the body', hangInBody],
  ])('a timeout %s leaves the wire', async (_, hangs) => {
    server.will(hangs);
    const beganAt = performance.now();
    const error = await failure(remove({ max_retries: 1 }));
    expect(error.reason).toBe('timeout');
    expect(performance.now() - beganAt).toBeLessThan(400);
    await until(() => server.open.size === 0);
  });

  it('a disconnect of the caller ends the request, and is neutral', async () => {
    server.will(hangInBody);
    const gone = new AbortController();
    const made = client({ failure_threshold: 1 });
    const call = failure(made.call(chromaContract.remove, input, { requestId: 'r', signal: gone.signal }));
    await until(() => server.requests.length === 1);
    gone.abort();
    expect((await call).reason).toBe('cancelled');
    await until(() => server.open.size === 0);
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0 });
  });

  it('a deadline shorter than the timeout is neutral', async () => {
    server.will(hang);
    const made = client({ failure_threshold: 1 });
    const deadlineMs = performance.now() + 50;
    expect((await failure(made.call(chromaContract.remove, input, { requestId: 'r', deadlineMs }))).reason).toBe(
      'deadline',
    );
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0, last_failure: null });
    expect((await failure(made.call(chromaContract.remove, input, { requestId: 'r', deadlineMs }))).reason).toBe(
      'deadline',
    );
    expect(server.requests).toHaveLength(1);
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0 });
  });

  it('a wait that cannot end before the deadline is not started', async () => {
    server.will(json({}, 500));
    const deadlineMs = performance.now() + 500;
    const beganAt = performance.now();
    expect((await failure(remove({ retry_base_ms: 1000 }, { deadlineMs }))).reason).toBe('fault');
    expect(performance.now() - beganAt).toBeLessThan(200);
  });
});

describe('failures of one user alone', () => {
  const fails =
    (behaviour: Behaviour, health: Behaviour): Behaviour =>
    (socket, head) =>
      (head.startsWith('GET /health/live ') ? health : behaviour)(socket, head);
  const live = json({ status: 'ok' });

  it.each([
    ['answers 500', json({}, 500)],
    ['hangs', hang],
    ['answers what is no JSON', answer(200, 'oops')],
  ])('open the breaker of a service that %s to its health route too', async (_, behaviour) => {
    server.will(behaviour);
    const made = client({ failure_threshold: 2, max_retries: 1, recovery_timeout_ms: 60_000 });
    for (let i = 0; i < 2; i++)
      await failure(made.call(chromaContract.remove, input, { requestId: 'r', userId: 'eve' }));
    await until(() => made.state === 'open', 2000);
  });

  it.each([
    ['answers 500', json({}, 500)],
    ['hangs', hang],
  ])('leave the breaker closed where a service %s to them, and its health route answers', async (_, behaviour) => {
    server.will(fails(behaviour, live));
    const made = client({ failure_threshold: 2, max_retries: 1 });
    const call = (userId: string) => made.call(chromaContract.remove, input, { requestId: 'r', userId });
    for (let i = 0; i < 2; i++) await failure(call('eve'));
    await until(() => log.lines.some((line) => line.includes('only that caller is refused')));
    expect((await failure(call('eve'))).reason).toBe('circuit_open');
    expect(made.state).toBe('closed');
    server.will(fine);
    expect(await call('bob')).toEqual({ removed: true });
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0 });
  });
});

describe('the breaker of a client', () => {
  it('opens, refuses without a connection, and closes when the service is back', async () => {
    server.will(json({}, 500));
    const made = client({ failure_threshold: 5, recovery_timeout_ms: 100 });
    const call = () => made.call(chromaContract.remove, input, { requestId: 'r' });
    await failure(call());
    await failure(call());
    expect(server.requests).toHaveLength(5);
    expect(log.lines.at(-1)).toBe('[Chroma Server] Circuit breaker OPEN (threshold reached: 5/5)');
    const error = await failure(call());
    expect(error.reason).toBe('circuit_open');
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(log.lines.at(-1)).toBe('[Chroma Server] Circuit breaker OPEN - rejecting request');
    expect(server.requests).toHaveLength(5);
    expect(made.status()).toMatchObject({ service: 'Chroma Server', state: 'open', failure_count: 5 });
    expect(made.status().last_failure).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
    server.will(fine);
    await new Promise((resolve) => setTimeout(resolve, 110));
    log.lines.length = 0;
    await call();
    expect(log.lines).toEqual([
      '[Chroma Server] Circuit breaker entering HALF_OPEN state',
      '[Chroma Server] POST /documents/remove (attempt 1/3)',
      '[Chroma Server] ✓ POST /documents/remove succeeded',
      '[Chroma Server] Circuit breaker CLOSED (service recovered)',
    ]);
    expect(made.status()).toMatchObject({ state: 'closed', failure_count: 0 });
    expect(made.decisions().map(({ to }) => to)).toEqual(['closed', 'half_open', 'open']);
    expect(
      made
        .decisions()
        .at(-1)
        ?.outcomes.map(({ outcome }) => outcome),
    ).toEqual(Array(5).fill('fault'));
  });

  it('keeps its state when settings change, the address among them', async () => {
    server.will(json({}, 500));
    const made = client({ failure_threshold: 3, max_retries: 1 });
    const call = () => made.call(chromaContract.remove, input, { requestId: 'r' });
    await failure(call());
    await failure(call());
    const settings = { ...made.report().settings, failure_threshold: 4, url: `${server.url}/v2` };
    made.reconfigure(settings);
    expect(made.status().failure_count).toBe(2);
    await failure(call());
    expect(server.requests.at(-1)).toMatch(/^POST \/v2\/documents\/remove /);
    expect(made.status().state).toBe('closed');
    await failure(call());
    expect(made.status().state).toBe('open');
    made.reconfigure({ ...settings, timeout_ms: 150 });
    expect(made.status().state).toBe('open');
  });
});

describe('a drill', () => {
  it('injects the configured faults', async () => {
    server.will(fine);
    const drill = { enabled: true, latency_ms: 0, error_rate: 0, reset_rate: 0 };
    expect((await failure(remove({ fault_drill: { ...drill, error_rate: 1 } }))).reason).toBe('fault');
    expect((await failure(remove({ fault_drill: { ...drill, reset_rate: 1 } }))).reason).toBe('unreachable');
    expect(server.requests).toEqual([]);
    expect((await failure(remove({ fault_drill: { ...drill, latency_ms: 1000 } }))).reason).toBe('timeout');
  });
});

describe('a streamed answer', () => {
  const settings = { idle_timeout_ms: 100, stream_timeout_ms: 1000, timeout_ms: 150 };
  const request = { method: 'POST', path: '/chat/completions', body: { stream: true } } as const;
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const part = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const streams =
    (...steps: (string | number)[]): Behaviour =>
    (socket) =>
      void (async () => {
        socket.write(head);
        for (const step of steps) {
          if (typeof step === 'number') await new Promise((resolve) => setTimeout(resolve, step).unref());
          else if (step === 'reset') socket.resetAndDestroy();
          else socket.write(step);
        }
      })();
  const end = '0\r\n\r\n';
  const read = async (stream: AsyncIterable<Uint8Array>) => {
    let text = '';
    for await (const chunk of stream) text += Buffer.from(chunk).toString();
    return text;
  };

  it('arrives in parts, and carries the key and no headers of ours', async () => {
    server.will(streams(part('one '), 20, part('two '), 20, part('three'), end));
    const made = client(settings);
    expect(await read(await made.stream(request, { requestId: 'r', userId: 'u' }))).toBe('one two three');
    expect(server.requests[0]).toMatch(/authorization: Bearer key/i);
    expect(server.requests[0]).not.toMatch(/x-internal-token|x-user-id|x-request-id/i);
    expect(made.report().bulkhead.active).toBe(0);
  });

  it('is tried again before its first byte', async () => {
    server.will(streams(1000), json({}, 500), reset, streams('reset'), streams(part('here'), end));
    const made = client({ ...settings, max_retries: 5 });
    expect(await read(await made.stream(request, { requestId: 'r' }))).toBe('here');
    expect(server.requests).toHaveLength(5);
    expect(made.status().last_failure_reason).toBe('unreachable');
  });

  it.each([
    ['stops', streams(part('one'), 5000), 'timeout'],
    ['breaks off', streams(part('one'), 20, 'reset'), 'unreachable'],
  ])('that %s after its first byte is not tried again, and the breaker hears of it', async (_, behaviour, reason) => {
    server.will(behaviour);
    const made = client({ ...settings, failure_threshold: 2 });
    for (const failures of [1, 2]) {
      const stream = await made.stream(request, { requestId: 'r' });
      expect((await failure(read(stream))).reason).toBe(reason);
      expect(server.requests).toHaveLength(failures);
      expect(made.status().failure_count).toBe(failures);
    }
    expect(made.status().state).toBe('open');
    await until(() => server.open.size === 0);
  });

  it('that never ends is ended', async () => {
    server.will(streams(...Array.from({ length: 100 }, () => [part('x'), 30]).flat()));
    const made = client({ ...settings, stream_timeout_ms: 200 });
    expect((await failure(made.stream(request, { requestId: 'r' }).then(read))).reason).toBe('timeout');
    await until(() => server.open.size === 0);
  });

  it('without a reader is ended', async () => {
    server.will(streams(part('x')));
    const made = client({ ...settings, stream_timeout_ms: 100 });
    await made.stream(request, { requestId: 'r' });
    await until(() => server.open.size === 0);
    expect(made.report().bulkhead.active).toBe(0);
  });

  it('does not shorten its limits for a slow reader', async () => {
    server.will(streams(part('one'), part('two'), end));
    let text = '';
    for await (const chunk of await client(settings).stream(request, { requestId: 'r' })) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      text += Buffer.from(chunk).toString();
    }
    expect(text).toBe('onetwo');
  });

  it('ends the request when the reader leaves the loop, and when the caller disconnects', async () => {
    server.will(streams(part('one'), 5000));
    const made = client(settings);
    for await (const _ of await made.stream(request, { requestId: 'r' })) break;
    await until(() => server.open.size === 0);
    const gone = new AbortController();
    const stream = await made.stream(request, { requestId: 'r', signal: gone.signal });
    setTimeout(() => gone.abort(), 20);
    expect((await failure(read(stream))).reason).toBe('cancelled');
    await until(() => server.open.size === 0);
    expect(made.status()).toMatchObject({ failure_count: 0, state: 'closed' });
    expect(made.report().bulkhead.active).toBe(0);
  });

  it('of the wrong content type breaks the contract', async () => {
    server.will(answer(200, '<html>'));
    async function* decode(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) yield JSON.parse(Buffer.from(chunk).toString()) as number;
    }
    const made = client({ ...settings, max_retries: 1 });
    expect((await failure(made.stream({ ...request, decode }, { requestId: 'r' }))).reason).toBe('protocol');
    server.will(streams(part('7'), 20, part('{'), end));
    const numbers: number[] = [];
    const stream = await made.stream({ ...request, decode }, { requestId: 'r' });
    const reading = (async () => {
      for await (const number of stream) numbers.push(number);
    })();
    expect((await failure(reading)).reason).toBe('protocol');
    expect(numbers).toEqual([7]);
  });

  it('that is read to its end keeps its connection', async () => {
    server.will(streams(part('done'), end));
    async function* decode(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        yield Buffer.from(chunk).toString();
        return;
      }
    }
    const made = client(settings);
    const before = server.connections;
    for (let i = 0; i < 5; i++) {
      for await (const _ of await made.stream({ ...request, decode }, { requestId: 'r' }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(server.connections - before).toBe(1);
  });
});

describe('the body of an answer that is discarded for another attempt', () => {
  const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const down = answer(500, 'x'.repeat(1_000_000));
  const here: Behaviour = (socket) => socket.write(`${head}4\r\nhere\r\n0\r\n\r\n`);
  /** The number of connections for an answer after two failures, and the number of them that are still open. */
  async function connections(ask: () => Promise<AsyncIterable<Uint8Array>>) {
    server.will(down, down, here);
    const before = server.connections;
    for await (const chunk of await ask()) expect(Buffer.from(chunk).toString()).toBe('here');
    return { made: server.connections - before, open: server.open.size };
  }
  const stream = { method: 'POST', path: '/chat/completions', body: { stream: true } } as const;

  it('keeps no socket', async () => {
    const made = client({ idle_timeout_ms: 1000 });
    expect(await connections(() => made.stream(stream, { requestId: 'r' }))).toEqual({ made: 1, open: 1 });
  });

  it('keeps a socket for each attempt of cockatiel around axios', async () => {
    const agent = new Agent({ keepAlive: true });
    const policy = retry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(10) });
    const ask = () => Axios.post<Readable>(server.url, stream.body, { responseType: 'stream', httpAgent: agent });
    const counts = await connections(async () => (await policy.execute(ask)).data);
    agent.destroy();
    expect(counts).toEqual({ made: 3, open: 3 });
  });
});

describe('a service module', () => {
  it('provides its client, and the registry knows it', async () => {
    @Module({ imports: [LoggingModule, ChromaModule] })
    class App {}
    server.will(fine);
    const config = loadConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', CHROMA_SERVER_URL: server.url });
    const app = await Test.createTestingModule({ imports: [App] })
      .overrideProvider(CONFIG)
      .useValue(config)
      .compile();
    await app.init();
    const chroma = app.get(ChromaClient, { strict: false });
    expect(await chroma.remove(input, { requestId: 'r' })).toEqual({ removed: true });
    const registry = app.get(ServiceRegistry, { strict: false });
    expect(registry.all().map(({ service, title }) => [service, title])).toEqual([['chroma', 'Chroma Server']]);
    const { register } = await import('prom-client');
    const metrics = await register.metrics();
    expect(metrics).toContain('caudex_breaker_state{service="chroma",state="closed"} 1');
    expect(metrics).toContain('caudex_attempts_total{service="chroma"} 1');
    expect(metrics).toMatch(
      /http_client_request_duration_seconds_count\{service="chroma",http_request_method="POST",server_address="127\.0\.0\.1",server_port="\d+",url_template="\/documents\/remove",error_type=""\} 1/,
    );
    await app.close();
  });
});
