import OpenAI from 'openai';
import { Caudex, Person, until } from './caudex.js';
import { FakeLlm, says } from './fake-llm.js';

describe('a client of the OpenAI API', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  let client: OpenAI;

  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
    client = new OpenAI({ apiKey: person.token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
  }, 60_000);
  afterAll(() => caudex.stop());

  it('finds its projects as models', async () => {
    const models = (await client.models.list()).data.map(({ id }) => id);
    expect(models).toEqual(['caudex', `caudex:${project}`]);
  });

  it('finds one of them by its id, and none of another user', async () => {
    const { data } = await client.models.list();
    for (const model of data) expect(await client.models.retrieve(model.id)).toEqual(model);
    const stranger = await caudex.signUp();
    for (const id of [`caudex:${await stranger.project()}`, 'caudex:no/id', 'gpt-4']) {
      await expect(client.models.retrieve(id)).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
        type: 'invalid_request_error',
        param: 'model',
        message: expect.stringContaining('model: "') as string,
      });
    }
    await expect(client.models.delete(`caudex:${project}`)).rejects.toMatchObject({
      status: 405,
      code: 'method_not_allowed',
    });
  });

  it('gets an answer with its sources, whole and streamed', async () => {
    const ask = {
      model: `caudex:${project}`,
      messages: [{ role: 'user' as const, content: 'Which pears ripen first?' }],
    };
    const whole = await client.chat.completions.create(ask);
    expect(whole.choices[0]?.message.content).toContain('Williams pears ripen first.');
    expect((whole as unknown as { caudex: { sources: { document: string }[] } }).caudex.sources[0]?.document).toBe(
      'pears.md',
    );
    let text = '';
    let usage: unknown;
    for await (const chunk of await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage ??= chunk.usage;
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(usage).toMatchObject({ total_tokens: expect.any(Number) as number });
  });

  it('continues from the messages that the client sends', async () => {
    const answer = await client.chat.completions.create({
      model: `caudex:${project}`,
      messages: [
        { role: 'user', content: 'Tell me about pears' },
        { role: 'assistant', content: 'Which?' },
        { role: 'user', content: [{ type: 'text', text: 'Those that come first' }] },
      ],
    });
    expect(answer.choices[0]?.message.content).toContain('Williams');
  });

  it('gets a response_format refused where no model is configured', async () => {
    const messages = [{ role: 'user' as const, content: 'x' }];
    const ask = { model: 'caudex', messages, response_format: { type: 'json_object' as const } };
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'response_format',
    });
  });

  it.each([
    ['POST', '/v1/completions', 404, 'not_found', { 'content-type': 'application/json' }, '{}'],
    ['GET', '/v1/files', 404, 'not_found', {}, undefined],
    ['DELETE', '/v1/chat/completions', 405, 'method_not_allowed', {}, undefined],
    ['POST', '/v1/chat/completions', 400, 'invalid_json', { 'content-type': 'application/json' }, '{"a'],
    ['POST', '/v1/responses', 415, 'unsupported_media_type', { 'content-type': 'application/xml' }, '<a/>'],
    ['POST', '/v1/embeddings', 415, 'unsupported_media_type', { 'content-encoding': 'foo' }, '{}'],
    ['GET', '/v1/models/%zz', 400, 'bad_request', {}, undefined],
  ])(
    'gets the error of %s %s (%i %s) in the shape of the OpenAI API',
    async (method, path, status, code, headers, body) => {
      const answer = await person.request(method, path, body, headers);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      const { error } = (await answer.json()) as { error: { message: string; type: string } };
      expect({ status: answer.status, error }).toEqual({
        status,
        error: { message: expect.any(String) as string, type: 'invalid_request_error', param: null, code },
      });
    },
  );

  it('leaves the other addresses their problem+json', async () => {
    for (const path of ['/v1/api/none', '/v1/api', '/none']) {
      const answer = await person.request('POST', path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    }
  });

  it('gets errors in the shape of the OpenAI API', async () => {
    const ask = (model: string, apiKey = person.token) =>
      new OpenAI({ apiKey, baseURL: `${caudex.url}/v1`, maxRetries: 0 }).chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'x' }],
      });
    await expect(ask('gpt-4')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
    });
    await expect(ask('caudex:nobodys')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(ask('caudex', 'a.b.c')).rejects.toMatchObject({ status: 401, type: 'authentication_error' });
    await expect(client.get('/chat/completions')).rejects.toMatchObject({
      status: 405,
      code: 'method_not_allowed',
      type: 'invalid_request_error',
    });
  });
});

describe('a parameter that only a model can honour', () => {
  let caudex: Caudex;
  let llm: FakeLlm;
  let client: OpenAI;
  let url: string;
  let token: string;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      CAUDEX__DOWNSTREAM__LLM__RETRY_BASE_MS: '20',
    });
    ({ url, token } = await caudex.signUp());
    client = new OpenAI({ apiKey: token, baseURL: `${url}/v1`, maxRetries: 0 });
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  const messages = [{ role: 'user' as const, content: 'When do pears ripen?' }];
  const json = { response_format: { type: 'json_object' as const } };
  const refuses =
    (field: string, status = 400): FakeLlm['behaviour'] =>
    (request, reply) => {
      if (!(field in request)) return says('In September.')(request, reply);
      reply.writeHead(status, { 'content-type': 'application/json' });
      reply.end(JSON.stringify({ error: { message: `Unsupported parameter: '${field}'`, param: field } }));
    };
  const misconfigured = async () =>
    (await new Person(url, '').get<{ services: { llm: { misconfigured: boolean } } }>('/v1/api/status/services'))
      .services.llm.misconfigured;

  it.each([
    ['stop', { stop: ['x'] }, 400],
    ['response_format', json, 422],
    ['frequency_penalty', { frequency_penalty: 1 }, 400],
  ])('is refused by its name where the model refuses it: %s', async (param, fields, status) => {
    llm.behaviour = refuses(param, status);
    const refused = { status: 400, code: 'unsupported_parameter', param };
    await expect(client.chat.completions.create({ model: 'caudex', messages, ...fields })).rejects.toMatchObject(
      refused,
    );
    const streamed = client.chat.completions.stream({ model: 'caudex', messages, ...fields }).done();
    await expect(streamed).rejects.toMatchObject({ code: 'unsupported_parameter', param });
    expect(await misconfigured()).toBe(false);
  });

  it('is refused in a response, whole and streamed', async () => {
    llm.behaviour = refuses('response_format');
    const ask = { model: 'caudex', input: 'When?', text: { format: { type: 'json_object' as const } } };
    await expect(client.responses.create(ask)).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter' });
    const { error, status } = await client.responses.stream(ask).finalResponse();
    expect({ status, error }).toMatchObject({ status: 'failed', error: { code: 'unsupported_parameter' } });
    const plain = { ...ask, text: { format: { type: 'text' as const } } };
    expect((await client.responses.create(plain)).output_text).toBe('In September.');
  });

  it('gets no prose in place of JSON while the model is away', async () => {
    llm.behaviour = (_request, reply) => void reply.writeHead(500).end();
    await expect(client.chat.completions.create({ model: 'caudex', messages, ...json })).rejects.toMatchObject({
      status: 503,
      code: 'model_unavailable',
    });
    const { credits } = await new Person(url, token).get<{ credits: number }>('/v1/api/billing/balance');
    expect((await client.chat.completions.create({ model: 'caudex', messages })).choices[0]?.finish_reason).toBe(
      'stop',
    );
    expect(await new Person(url, token).get('/v1/api/billing/balance')).toMatchObject({ credits });
  });

  it('is passed on to a model that takes it', async () => {
    llm.behaviour = says('{"month":"September"}');
    llm.requests.length = 0;
    const sent = { ...json, presence_penalty: 0.5, frequency_penalty: -0.5, stop: ['x'], seed: 7, top_p: 0.5 };
    await client.chat.completions.create({ model: 'caudex', messages, ...sent });
    expect(llm.requests[0]).toMatchObject(sent);
  });
});
