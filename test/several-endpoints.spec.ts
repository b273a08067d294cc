import Axios from 'axios';
import { z } from 'zod';
import type { DownstreamSettings } from '../src/config/config.schema.js';
import type { Endpoint } from '../src/contract/endpoint.js';
import type { EndpointChoice } from '../src/resilience/policy/call-context.js';
import { systemClock } from '../src/resilience/policy/clock.js';
import type { DownstreamError } from '../src/resilience/policy/downstream-error.js';
import { testSettings } from '../src/resilience/policy/testing/settings.js';
import { RecordedLog } from '../src/resilience/report/testing/recorded-log.js';
import { BalancedTransport } from '../src/resilience/wire/balanced-transport.js';
import { type EndpointAddress, Endpoints, urlsOf } from '../src/resilience/wire/endpoints.js';
import { HttpTransport } from '../src/resilience/wire/http-transport.js';
import { ResilientClient } from '../src/resilience/wire/resilient-client.js';
import { internalHeaders } from '../src/resilience/wire/wire-headers.js';
import { type Behaviour, hang, json, MisbehavingServer, reset } from './misbehaving-server.js';

const response = z.object({ from: z.string() });
const read: Endpoint = { method: 'GET', path: '/read', response, idempotent: true };
const change: Endpoint = { method: 'POST', path: '/change', response, idempotent: true };
const append: Endpoint = { method: 'POST', path: '/append', response, idempotent: false };

const log = new RecordedLog();
let servers: { a: MisbehavingServer; b: MisbehavingServer };
let client: ResilientClient;

/** The health route answers while the server is not dead; other requests get `behaviour`. */
const serving =
  (behaviour: Behaviour): Behaviour =>
  (socket, head) =>
    (head.startsWith('GET /health/') ? json({ status: 'ok' }) : behaviour)(socket, head);
const from = (name: string) => serving(json({ from: name }));

function connect(balancing: Partial<DownstreamSettings['balancing']> = {}): ResilientClient {
  const settings = testSettings({
    url: `${servers.a.url},${servers.b.url}`,
    timeout_ms: 5000,
    retry_base_ms: 10,
    failure_threshold: 5,
    max_retries: 1,
    balancing: { eject_after: 3, ejected_ms: 100, hedged_share: 0, resolve_ms: 1000, ...balancing },
  });
  return new ResilientClient({
    service: 'auth',
    title: 'Auth Server',
    settings,
    connect: ({ url, timeout_ms, balancing: used }, isHealthy, serviceLog) =>
      new BalancedTransport({
        urls: urlsOf(url as string),
        settings: used,
        clock: systemClock,
        connect: (address) => new HttpTransport(Axios.create(), address, timeout_ms),
        isHealthy,
        onChange: (endpoint, why) => serviceLog.endpointChanged(endpoint, why),
      }),
    healthPath: '/health/live',
    headers: internalHeaders('secret', systemClock),
    sink: log,
  });
}

const call = (endpoint: Endpoint) => client.call(endpoint, {}, { requestId: 'r' }) as Promise<{ from: string }>;
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: DownstreamError) => error.reason,
  );
const work = (server: MisbehavingServer) => server.requests.filter((head) => !head.startsWith('GET /health/')).length;
const until = async (done: () => boolean) => {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(done()).toBe(true);
};

beforeEach(async () => {
  log.lines.length = 0;
  servers = { a: new MisbehavingServer(), b: new MisbehavingServer() };
  await Promise.all([servers.a.start(), servers.b.start()]);
  servers.a.will(from('a'));
  servers.b.will(from('b'));
  client = connect();
});
afterEach(async () => {
  await client.onApplicationShutdown();
  await Promise.all(Object.values(servers).map((server) => server.stop().catch(() => undefined)));
});

describe('a service with two endpoints', () => {
  it('spreads its calls over both', async () => {
    await Promise.all(Array.from({ length: 100 }, () => call(read)));
    expect(work(servers.a)).toBeGreaterThan(20);
    expect(work(servers.b)).toBeGreaterThan(20);
  });

  it('loses no call when one is killed, and uses it again when it is back', async () => {
    let failed = 0;
    let running = true;
    const caller = async () => {
      while (running) await call(read).catch(() => failed++);
    };
    const callers = Array.from({ length: 8 }, caller);
    await until(() => work(servers.a) > 20);
    const { port } = new URL(servers.a.url);
    await servers.a.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    servers.a = new MisbehavingServer();
    servers.a.will(from('a'));
    await servers.a.start(Number(port));
    await until(() => work(servers.a) > 20);
    running = false;
    await Promise.all(callers);
    expect(failed).toBe(0);
    expect(client.status()).toMatchObject({ state: 'closed', failure_count: 0 });
    expect(log.lines.filter((line) => line.includes('Endpoint')).length).toBeGreaterThanOrEqual(2);
  });

  it('moves the repeatable calls of one that hangs to the other, and leaves the first one out', async () => {
    servers.a.will(hang);
    const beganMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(change)));
    expect(new Set(answers.map((answer) => answer.from))).toEqual(new Set(['b']));
    // A second until the health route is asked, and one until that counts as no answer.
    expect(performance.now() - beganMs).toBeLessThan(4000);
    expect(client.report().endpoints).toMatchObject([{ ejected: true }, { ejected: false }]);
    const before = work(servers.a);
    await Promise.all(Array.from({ length: 20 }, () => call(change)));
    expect(work(servers.a)).toBe(before);
  });

  it('does not repeat a call that may have been processed and must not be repeated', async () => {
    servers.a.will(serving(reset));
    servers.b.will(serving(reset));
    expect(await failure(call(append))).toBe('unreachable');
    expect(work(servers.a) + work(servers.b)).toBe(1);
  });

  it('sends every call to the other while one is shutting down', async () => {
    servers.a.will(serving(json({ code: 'draining', detail: 'The server is shutting down.' }, 503)));
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(append)));
    expect(new Set(answers.map((answer) => answer.from))).toEqual(new Set(['b']));
  });

  it('leaves out one that only answers 5xx, never both', async () => {
    servers.a.will(serving(json({}, 500)));
    for (let i = 0; i < 40; i++) await failure(call(append));
    expect(client.report().endpoints).toMatchObject([{ ejected: true }, { ejected: false }]);
    servers.b.will(serving(json({}, 500)));
    for (let i = 0; i < 10; i++) await failure(call(append));
    expect(client.report().endpoints.filter(({ ejected }) => ejected)).toHaveLength(1);
    expect(client.status().state).toBe('open');
  });

  it('opens the breaker when both are gone', async () => {
    await Promise.all([servers.a.stop(), servers.b.stop()]);
    for (let i = 0; i < 5; i++) expect(await failure(call(read))).toBe('unreachable');
    expect(client.status().state).toBe('open');
  });

  it('has one instance id for both, which changes when one of them restarts', async () => {
    const named = (name: string, instance: string): Behaviour =>
      serving((socket) => {
        const body = JSON.stringify({ from: name });
        socket.write(
          `HTTP/1.1 200 X\r\nx-server-instance: ${instance}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
      });
    const seen = async () => {
      for (let i = 0; i < 20; i++) await call(read);
      return client.instance;
    };
    servers.a.will(named('a', '1'));
    servers.b.will(named('b', '2'));
    expect(await seen()).toBe('1+2');
    servers.b.will(named('b', '3'));
    expect(await seen()).toBe('1+3');
  });
});

describe('a call that prefers some endpoints', () => {
  const choiceOf = (ranks: { a: number; b: number }, accepts: (url: string) => boolean = () => true) => {
    const { url: first } = servers.a;
    const answered: string[] = [];
    const choice: EndpointChoice = {
      rank: (url) => (url === first ? ranks.a : ranks.b),
      accepts: (url) => accepts(url),
      answered: (url) => void answered.push(url === first ? 'a' : 'b'),
    };
    return { choice, answered };
  };
  const ask = (endpoints: EndpointChoice) =>
    client.call(read, {}, { requestId: 'r', endpoints }) as Promise<{ from: string }>;

  it('goes to the best one, and to the other while that one is away', async () => {
    const { choice, answered } = choiceOf({ a: 0, b: 7 });
    for (let i = 0; i < 20; i++) expect(await ask(choice)).toEqual({ from: 'a' });
    expect(work(servers.b)).toBe(0);
    await servers.a.stop();
    for (let i = 0; i < 20; i++) expect(await ask(choice)).toEqual({ from: 'b' });
    expect(answered).toEqual([...Array<string>(20).fill('a'), ...Array<string>(20).fill('b')]);
    expect(client.status()).toMatchObject({ state: 'closed', failure_count: 0 });
  });

  it('goes to any of those that are equally good', async () => {
    const { choice } = choiceOf({ a: 1, b: 1 });
    await Promise.all(Array.from({ length: 100 }, () => ask(choice)));
    expect(Math.min(work(servers.a), work(servers.b))).toBeGreaterThan(20);
  });

  it('takes no answer of one that was started anew while another one answers', async () => {
    const { url: anew } = servers.a;
    const { choice, answered } = choiceOf({ a: 0, b: 7 }, (url) => url !== anew);
    expect(await ask(choice)).toEqual({ from: 'b' });
    await servers.b.stop();
    expect(await ask(choice)).toEqual({ from: 'a' });
    expect(answered).toEqual(['b', 'a']);
  });

  it('is not hedged with a worse one', async () => {
    client = connect({ hedged_share: 1 });
    for (let i = 0; i < 60; i++) await call(read);
    servers.a.will(serving((socket, head) => void setTimeout(() => json({ from: 'late' })(socket, head), 400)));
    servers.b.will(from('b'));
    expect(await ask(choiceOf({ a: 0, b: 1 }).choice)).toEqual({ from: 'late' });
    expect(await ask(choiceOf({ a: 0, b: 0 }).choice)).toEqual({ from: 'b' });
  });
});

describe('hedged reads', () => {
  const late: Behaviour = (socket, head) => void setTimeout(() => json({ from: 'late' })(socket, head), 400);

  it('are sent to the second endpoint when the first is slow, for a bounded share of all', async () => {
    client = connect({ hedged_share: 0.1 });
    for (let i = 0; i < 100; i++) await call(read);
    servers.a.will(serving(late));
    servers.b.will(from('b'));
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const beganMs = performance.now();
      await call(read);
      times.push(performance.now() - beganMs);
    }
    // On a busy machine a timer may be late.
    expect(times.filter((ms) => ms >= 400).length).toBeLessThan(3);
    const sent = work(servers.a) + work(servers.b);
    expect(sent).toBeGreaterThan(10);
    expect(sent - 10).toBeLessThanOrEqual(110 * 0.1);
  });

  it('are never made of calls that change something', async () => {
    client = connect({ hedged_share: 1 });
    for (let i = 0; i < 60; i++) await call(read);
    servers.a.will(serving(late));
    servers.b.will(serving(late));
    await Promise.all(Array.from({ length: 5 }, () => call(change)));
    expect(work(servers.a) + work(servers.b)).toBe(5);
  });
});

describe('a name with several addresses', () => {
  it('is one endpoint for each of them, and follows changes', async () => {
    let answers = [
      { address: '10.0.0.2', family: 4 },
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ];
    const changes: EndpointAddress[][] = [];
    const url = 'http://filesystem:6002';
    const endpoints = new Endpoints(
      [url],
      20,
      systemClock,
      (found) => void changes.push(found),
      () => Promise.resolve(answers),
    );
    await until(() => changes.length === 1);
    answers = [{ address: '10.0.0.3', family: 4 }];
    await until(() => changes.length === 2);
    endpoints.close();
    expect(changes).toEqual([
      [
        { url, ip: '10.0.0.1' },
        { url, ip: '10.0.0.2' },
      ],
      [{ url }],
    ]);
  });

  it('keeps the name as host of the requests', async () => {
    const address = { url: servers.a.url.replace('127.0.0.1', 'service.example'), ip: '127.0.0.1' };
    const transport = new HttpTransport(Axios.create(), address, 1000);
    await transport.send({ method: 'GET', path: '/x', headers: {}, body: undefined }, new AbortController().signal);
    expect(servers.a.requests[0]).toContain(`host: ${new URL(address.url).host}`);
    await transport.close();
  });
});
