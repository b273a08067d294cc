import { Caudex, type ChatAnswer, type Person, type StreamEvent } from './caudex.js';
import { chunk, FakeLlm, says, saysAtOnce } from './fake-llm.js';

/** Begins an answer and drops the connection in the middle of it. */
const diesAfter = (...tokens: string[]): FakeLlm['behaviour'] => {
  return (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(tokens.map(chunk).join(''), () => setTimeout(() => reply.destroy(), 20));
  };
};
const fails: FakeLlm['behaviour'] = (_request, reply) => void reply.writeHead(500).end();

describe('several models', () => {
  let caudex: Caudex;
  let first: FakeLlm;
  let second: FakeLlm;
  let ann: Person;
  let project: string;

  beforeAll(async () => {
    [first, second] = await Promise.all([FakeLlm.start(), FakeLlm.start()]);
    caudex = await Caudex.start({
      LLM_BASE_URL: `${first.url},${second.url}`,
      LLM_MODEL: 'large,small',
      LLM_API_KEY: 'one,two',
      CAUDEX__CACHE__ANSWERS: 'true',
      CAUDEX__DOWNSTREAM__LLM__RETRY_BASE_MS: '20',
      CAUDEX__DOWNSTREAM__LLM__FAILURE_THRESHOLD: '100',
    });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nThe pears in the orchard ripen in September.');
  }, 60_000);
  beforeEach(() => {
    first.behaviour = says('From the large one [1].');
    second.behaviour = says('From the small one [1].');
    first.requests.length = second.requests.length = 0;
  });
  afterAll(async () => {
    await caudex.stop();
    await Promise.all([first.stop(), second.stop()]);
  });

  const ask = () => ann.chat(project, `When do the pears ripen? ${Math.random()}`);
  const whole = (events: StreamEvent[]) =>
    events.map(({ data }) => (data !== '[DONE]' && data.type === 'text-delta' ? data.delta : '')).join('');
  const summary = (events: StreamEvent[]): ChatAnswer | undefined =>
    events.flatMap(({ data }) => (data === '[DONE]' ? [] : (data.messageMetadata ?? []))).at(-1);

  it('use the first one while it works', async () => {
    expect(await ask()).toMatchObject({ response: 'From the large one [1].', model: 'large', degradation: [] });
    expect(second.requests).toHaveLength(0);
  });

  it('may answer without a stream', async () => {
    first.behaviour = saysAtOnce('All of it [1].');
    expect(await ask()).toMatchObject({
      response: 'All of it [1].',
      model: 'large',
      state: 'complete',
      degradation: [],
      usage: { prompt_tokens: 90, completion_tokens: 8 },
    });
  });

  it('may report half of the usage, which is then estimated', async () => {
    first.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      const usage = { prompt_tokens: 3, completion_tokens: null };
      reply.end(`${chunk('In September.')}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
    };
    const answer = await ask();
    expect(answer).toMatchObject({ response: 'In September.', model: 'large', state: 'complete', degradation: [] });
    expect(answer.usage.completion_tokens).toBeGreaterThan(0);
  });

  it('continue with the second where the first dies before its first token', async () => {
    first.behaviour = fails;
    expect(await ask()).toMatchObject({
      response: 'From the small one [1].',
      model: 'small',
      state: 'complete',
      degradation: [{ service: 'llm', reason: 'fault', fallback: 'next_model' }],
    });
    expect(first.requests).toHaveLength(1);
    expect(second.requests[0]?.model).toBe('small');
  });

  it('continue with the second, also in a stream, where the first dies in the middle', async () => {
    first.behaviour = diesAfter('They ripen', ' in Sept');
    second.behaviour = says('in September [1], said the small one.');
    const events = await ann.chatStream(project, 'When do they ripen in the orchard?');
    expect(whole(events)).toBe('They ripen in September [1], said the small one.');
    expect(summary(events)).toMatchObject({
      model: 'small',
      state: 'complete',
      degradation: [{ service: 'llm', reason: 'unreachable', fallback: 'next_model' }],
    });
    const [question, partial, goOn] = second.requests[0]?.messages.slice(-3) ?? [];
    expect(question?.content).toContain('When do they ripen');
    expect(partial).toEqual({ role: 'assistant', content: 'They ripen in' });
    expect(goOn?.role).toBe('user');
  });

  it('leave the answer partial where the second dies in the middle too', async () => {
    first.behaviour = diesAfter('They ripen ');
    second.behaviour = fails;
    expect(await ask()).toMatchObject({
      response: 'They ripen ',
      state: 'partial',
      degradation: [
        { service: 'llm', reason: 'unreachable', fallback: 'next_model' },
        { service: 'llm_2', reason: 'fault', fallback: 'none' },
      ],
    });
  });

  it.each([
    [
      'complete',
      'says that it is finished',
      `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] })}\n\n`,
    ],
    ['partial', 'says nothing of the kind', ''],
  ])('leave the answer %s where the body ends without [DONE] and %s', async (state, _what, last) => {
    first.behaviour = fails;
    second.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.end(chunk('They ripen.') + last);
    };
    expect(await ask()).toMatchObject({ response: 'They ripen.', model: 'small', state });
  });

  it('continue with the second where the first ends without a word', async () => {
    first.behaviour = says('');
    expect(await ask()).toMatchObject({
      response: 'From the small one [1].',
      model: 'small',
      state: 'complete',
      degradation: [{ service: 'llm', reason: 'protocol', fallback: 'next_model' }],
    });
  });

  it.each([
    ['nothing', says(''), saysAtOnce(null)],
    ['white space', says(' \n'), saysAtOnce('\n')],
  ])('leave it to the passages where both say %s, which is no fault of their services', async (_what, one, other) => {
    first.behaviour = one;
    second.behaviour = other;
    const answer = await ask();
    expect(answer).toMatchObject({
      model: 'extractive',
      state: 'complete',
      degraded: true,
      degradation: [
        { service: 'llm', reason: 'protocol', fallback: 'next_model' },
        { service: 'llm_2', reason: 'protocol', fallback: 'extractive' },
      ],
    });
    expect(answer.response).toMatch(/^The language model gave no answer; .*ripen in September/s);
    // The stand-in's own count of tokens.
    expect([100, 90]).not.toContain(answer.usage.prompt_tokens);
    expect((await caudex.breaker('llm_2')).failure_count).toBe(0);
  });

  it('report an empty project, and no more, where neither returns a word', async () => {
    first.behaviour = second.behaviour = says('');
    const empty = await ann.project();
    const answer = await ann.chat(empty, 'When do the pears ripen?');
    expect(answer).toMatchObject({ model: 'extractive', state: 'complete', degraded: true });
    expect(answer.response).toBe('This project is empty: it has no documents to answer from yet.');
  });

  it('complete an answer to which the second adds nothing', async () => {
    first.behaviour = diesAfter('They ripen in September.');
    second.behaviour = says('');
    expect(await ask()).toMatchObject({
      response: 'They ripen in September.',
      model: 'large',
      state: 'complete',
      degradation: [{ service: 'llm', reason: 'unreachable', fallback: 'next_model' }],
    });
  });

  it('leave the answer to the passages where both are dead', async () => {
    first.behaviour = second.behaviour = fails;
    const answer = await ask();
    expect(answer).toMatchObject({
      model: 'extractive',
      state: 'complete',
      degradation: [
        { service: 'llm', reason: 'fault', fallback: 'next_model' },
        { service: 'llm_2', reason: 'fault', fallback: 'extractive' },
      ],
    });
    expect(answer.response).toContain('ripen in September');
  });

  it('answer a repeated question from the cache, until the project changes', async () => {
    const question = 'When do the pears of the orchard ripen?';
    const written = await ann.chat(project, question);
    const again = await ann.chat(project, `  ${question.toUpperCase()} `);
    expect(written.cached).toBe(false);
    expect(again).toMatchObject({ response: written.response, sources: written.sources, model: 'large', cached: true });
    expect(again.usage).toEqual({ prompt_tokens: 0, completion_tokens: 0, credits: 0 });
    expect(again.saved).toBe('stored');
    const { turns } = await ann.get<{ turns: { answer: { text: string } }[] }>(
      `/v1/api/conversations/${again.conversation_id}`,
    );
    expect(turns.map(({ answer }) => answer.text)).toEqual([written.response]);

    expect((await ann.chat(project, question, { conversation_id: again.conversation_id })).cached).toBe(false);
    await ann.upload(project, 'plums.md', 'The plums of the orchard ripen in August.');
    expect((await ann.chat(project, question)).cached).toBe(false);
    expect(first.requests).toHaveLength(3);

    const eve = await caudex.signUp();
    const other = await eve.project();
    await eve.upload(other, 'pears.md', '# Pears\n\nThe pears in the orchard ripen in September.');
    expect((await eve.chat(other, question)).cached).toBe(false);
  });

  it('cache no answer that was degraded', async () => {
    const question = 'Do the pears ripen in September?';
    first.behaviour = fails;
    expect((await ann.chat(project, question)).model).toBe('small');
    first.behaviour = says('From the large one [1].');
    expect(await ann.chat(project, question)).toMatchObject({ model: 'large', cached: false });
  });

  it('each have a breaker in status, health and metrics', async () => {
    const { services } = await ann.get<{ services: Record<string, { service: string }> }>('/v1/api/status/services');
    expect(services['llm']?.service).toBe('LLM Server');
    expect(services['llm_2']?.service).toBe('LLM Server 2');
    const health = await ann.get<{ details: Record<string, unknown> }>('/health');
    expect(Object.keys(health.details)).toContain('llm_2');
    const metrics = await (await ann.request('GET', '/metrics')).text();
    expect(metrics).toMatch(/caudex_attempts_total\{service="llm_2"\} [1-9]/);
  });
});
