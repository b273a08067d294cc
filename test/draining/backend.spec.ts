import { APPS, Caudex, until } from '../system/caudex.js';
import { chunk, END, FakeLlm } from '../system/fake-llm.js';

describe('SIGTERM', () => {
  let llm: FakeLlm;
  let caudex: Caudex;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'test' });
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  it('lets the backend finish a streamed chat, ends endless streams, and fails readiness', async () => {
    const person = await caudex.signUp();
    const status = await person.request('GET', '/v1/api/status/stream');
    const changes = status.text();
    let finish: (() => void) | undefined;
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(chunk('The beginning '));
      finish = () => reply.end(chunk('and the end.') + END);
    };
    const chat = person.chatStream(undefined, 'How do I store pears?');
    await until('the answer has begun', () => Promise.resolve(finish));

    const ended = caudex.kill('backend', 'SIGTERM');
    await until('it drains', async () => (await fetch(`${caudex.url}/health/ready`)).status === 503);
    expect((await fetch(`${caudex.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${caudex.url}/metrics`)).status).toBe(200);
    const refused = await person.request('GET', '/v1/api/projects');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'draining', retry_after: 1 });
    expect(await changes).toMatch(/^id: 1\nevent: status\n/);

    finish?.();
    const events = await chat;
    expect(events.at(-1)?.data).toBe('[DONE]');
    expect(events.map(({ data }) => (data as { delta?: string }).delta ?? '').join('')).toBe(
      'The beginning and the end.',
    );
    const answeredAt = performance.now();
    await ended;
    expect(performance.now() - answeredAt).toBeLessThan(2000);
  });

  it.each(APPS.filter((app) => app !== 'backend'))('ends an idle %s at once', async (app) => {
    const beganAt = performance.now();
    await caudex.kill(app, 'SIGTERM');
    expect(performance.now() - beganAt).toBeLessThan(2000);
    expect([caudex.exitCode(app), ...(caudex.exitCode(app) === 0 ? [] : caudex.output.slice(-5))]).toEqual([0]);
  });
});
