import { once } from 'node:events';
import { connect } from 'node:net';
import { Caudex, type Person } from './caudex.js';
import { chunk, END, FakeLlm } from './fake-llm.js';

describe('limits', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let person: Person;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake-1',
      CAUDEX__HTTP__HEADERS_TIMEOUT_MS: '400',
      CAUDEX__HTTP__REQUEST_TIMEOUT_MS: '1000',
      CAUDEX__CHAT__MAX_STREAMS_PER_USER: '2',
      CAUDEX__RATE_LIMIT__ENABLED: 'true',
      CAUDEX__RATE_LIMIT__PER_USER: '20',
    });
    person = await caudex.signUp();
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  /** The answer to a client that sends `first` and then one byte each 50 ms, and the time until it is disconnected. */
  async function drip(port: number, first: string): Promise<{ answer: string; afterMs: number }> {
    const beganMs = performance.now();
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('error', () => undefined);
    socket.write(first);
    const timer = setInterval(() => socket.writable && socket.write('x'), 50);
    await once(socket, 'close');
    clearInterval(timer);
    return { answer, afterMs: performance.now() - beganMs };
  }

  it('disconnects a client that sends its headers slowly', async () => {
    const { answer, afterMs } = await drip(
      caudex.ports.backend,
      'GET /v1/api/projects HTTP/1.1\r\nhost: x\r\nx-slow: ',
    );
    expect(afterMs).toBeLessThan(3000);
    expect(answer).toMatch(/^HTTP\/1\.1 408 [^]*application\/problem\+json[^]*"code":"request_timeout"/);
  });

  it('disconnects a client that sends its body slowly', async () => {
    const head = `POST /v1/api/chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${person.token}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n`;
    const { afterMs } = await drip(caudex.ports.backend, head);
    expect(afterMs).toBeGreaterThan(500);
    expect(afterMs).toBeLessThan(4000);
  });

  it('allows two concurrent answers for one user, and refuses a third', async () => {
    const replies: (() => void)[] = [];
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(chunk('Well'));
      replies.push(() => reply.end(END));
    };
    const running = [person.chat(undefined, 'one?'), person.chat(undefined, 'two?')];
    while (replies.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    const third = await person.request('POST', '/v1/api/chat', '{"message":"three?"}', {
      'content-type': 'application/json',
    });
    expect(third.status).toBe(429);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await third.json()).toMatchObject({ code: 'too_many_streams', retry_after: 1 });
    for (const end of replies) end();
    await Promise.all(running);
    llm.behaviour = (_request, reply) => void reply.writeHead(200).end(chunk('Well') + END);
    expect(await person.chat(undefined, 'four?')).toMatchObject({ status: 200, state: 'complete' });
  });

  it('reports the rate in headers, and refuses requests above it', async () => {
    const other = await caudex.signUp();
    const answers = [];
    for (let i = 0; i < 21; i++) answers.push(await other.request('GET', '/v1/api/projects'));
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"user";q=20;w=60');
    expect(answers[0]?.headers.get('ratelimit')).toMatch(/^"user";r=19;t=\d+$/);
    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(20).fill(200), 429]);
    expect(Number(answers[20]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answers[20]?.json()).toMatchObject({ code: 'rate_limited' });
  });
});
