import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { Caudex, type Person, until } from './caudex.js';
import { chunk, END, FakeLlm, says } from './fake-llm.js';

describe("OpenAI's Responses API", () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  let client: OpenAI;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake',
      CAUDEX__DOWNSTREAM__LLM__FAILURE_THRESHOLD: '99',
    });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('the document is indexed', async () => (await ann.search(project, 'pears')).source === 'hybrid');
    client = new OpenAI({ apiKey: ann.token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
  }, 60_000);
  beforeEach(() => {
    llm.behaviour = says('Williams pears [1].');
    llm.requests.length = 0;
  });
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  const create = (more: object = {}) =>
    client.responses.create({
      model: `caudex:${project}`,
      input: 'Which pears ripen first?',
      ...more,
    } as never) as unknown as Promise<OpenAI.Responses.Response>;
  const events = async (more: object = {}) => {
    const found: ResponseStreamEvent[] = [];
    const stream = (await create({ stream: true, ...more })) as unknown as AsyncIterable<ResponseStreamEvent>;
    for await (const event of stream) found.push(event);
    return found;
  };
  const said = () => llm.requests.at(-1)?.messages.map(({ role, content }) => [role, content]) ?? [];

  it('answers with text, citations and usage', async () => {
    const response = await create({ instructions: 'Be brief.', temperature: 0.5, max_output_tokens: 50 });
    expect(response).toMatchObject({ object: 'response', status: 'completed', output_text: 'Williams pears [1].' });
    expect(response.output).toMatchObject([
      {
        type: 'message',
        content: [
          {
            type: 'output_text',
            annotations: [{ type: 'url_citation', url: 'caudex:pears.md#0', start_index: 15, end_index: 18 }],
          },
        ],
      },
    ]);
    expect(response.usage?.total_tokens).toBe(107);
    expect(llm.requests[0]).toMatchObject({ temperature: 0.5, max_tokens: 50 });
    expect(said()[0]?.[1]).toContain('Be brief.');
  });

  it('streams events that the SDK can assemble', async () => {
    const found = await events();
    expect(found.map(({ sequence_number }) => sequence_number)).toEqual(found.map((_, index) => index));
    const types = found.map(({ type }) => type);
    expect([...new Set(types)]).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.annotation.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const final = await client.responses
      .stream({ model: `caudex:${project}`, input: 'Which pears ripen first?' })
      .finalResponse();
    expect(final).toMatchObject({ status: 'completed', output_text: 'Williams pears [1].' });
  });

  it('shows the thinking of a model as an item of its own', async () => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { reasoning_content: 'Hm.' } }] })}\n\n`);
      reply.end(chunk('Williams.') + END);
    };
    const found = await events();
    expect(found.find(({ type }) => type === 'response.reasoning_text.delta')).toMatchObject({
      delta: 'Hm.',
      output_index: 0,
    });
    expect(found.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { output: [{ type: 'reasoning' }, { type: 'message', content: [{ text: 'Williams.' }] }] },
    });
  });

  it('continues from an earlier response, also in another branch', async () => {
    const first = await create();
    llm.behaviour = says('In August.');
    const second = await create({ input: 'When?', previous_response_id: first.id });
    expect(
      said()
        .slice(1)
        .map(([, content]) => content),
    ).toEqual(['Which pears ripen first?', 'Williams pears.', expect.stringContaining('When?')]);
    llm.behaviour = says('In the south.');
    await create({ input: 'Where?', previous_response_id: first.id });
    expect(said().flat().join(' ')).not.toContain('When?');
    const [conversation] = first.id.slice('resp_'.length).split('.') as [string];
    const stored = await ann.get<{ turns: { question: string; siblings?: string[] }[] }>(
      `/v1/api/conversations/${conversation}`,
    );
    expect(stored.turns.map(({ question }) => question)).toEqual(['Which pears ripen first?', 'Where?']);
    expect(stored.turns[1]?.siblings).toHaveLength(2);
    expect(await client.responses.retrieve(second.id)).toMatchObject({
      output_text: 'In August.',
      previous_response_id: first.id,
    });
  });

  it('continues a conversation that the client names, and accepts items', async () => {
    const input = [
      { role: 'developer', content: 'Speak like a gardener.' },
      { role: 'user', content: [{ type: 'input_text', text: 'My cat is Quixote.' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Noted.' }] },
      { type: 'reasoning', id: 'rs_x', summary: [] },
      { role: 'user', content: 'What is it called?' },
    ];
    const response = await create({ model: 'caudex', input, conversation: 'mine_1' });
    expect(response.conversation).toEqual({ id: 'mine_1' });
    expect(said().map(([, content]) => content)).toEqual([
      expect.stringContaining('Speak like a gardener.'),
      'My cat is Quixote.',
      'Noted.',
      'What is it called?',
    ]);
    await create({ model: 'caudex', input: 'And its age?', conversation: { id: 'mine_1' } });
    expect(said().map(([, content]) => content)).toContain('What is it called?');
  });

  it('shows and deletes a response, with its question', async () => {
    const { id } = await create();
    expect((await client.responses.inputItems.list(id)).data).toMatchObject([
      { role: 'user', content: [{ type: 'input_text', text: 'Which pears ripen first?' }] },
    ]);
    await client.responses.delete(id);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(create({ previous_response_id: id })).rejects.toMatchObject({
      status: 400,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  });

  it('reports the end of a truncated answer, and of one without a model', async () => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      const end = { choices: [{ index: 0, delta: {}, finish_reason: 'length' }] };
      reply.end(`${chunk('Willi')}data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
    };
    expect(await create()).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect((await events()).at(-1)?.type).toBe('response.incomplete');
    llm.behaviour = (_request, reply) => void reply.writeHead(500).end();
    const quoted = await create();
    expect(quoted.output_text).toContain('Williams pears ripen first.');
  });

  it('requests JSON like chat completions', async () => {
    llm.behaviour = says('{"pear":"Williams"}');
    const schema = { type: 'object', properties: { pear: { type: 'string' } } };
    const response = await create({ text: { format: { type: 'json_schema', name: 'pear', schema, strict: true } } });
    expect(JSON.parse(response.output_text)).toEqual({ pear: 'Williams' });
    expect(llm.requests[0]).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'pear', schema, strict: true } },
    });
  });

  it.each([
    [{ tools: [{ type: 'web_search' }] }, 'unsupported_parameter', 'tools'],
    [{ background: true }, 'unsupported_parameter', 'background'],
    [{ input: [{ type: 'function_call_output', call_id: 'x', output: 'y' }] }, 'unsupported_parameter', 'input.0.type'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      'unsupported_parameter',
      'input.0.content',
    ],
    [{ input: [] }, 'invalid_request', null],
    [{ previous_response_id: 'resp_1', conversation: 'c' }, 'invalid_request', null],
    [{ previous_response_id: 'resp_1' }, 'previous_response_not_found', 'previous_response_id'],
    [{ temperature: 3 }, 'invalid_request', 'temperature'],
  ])('refuses %j', async (more, code, param) => {
    await expect(create(more)).rejects.toMatchObject({ status: 400, code, param, type: 'invalid_request_error' });
    expect(llm.requests).toHaveLength(0);
  });

  it('does not continue from the response of another user', async () => {
    const { id } = await create();
    const stranger = await caudex.signUp();
    const other = new OpenAI({ apiKey: stranger.token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
    await expect(
      other.responses.create({ model: 'caudex', input: 'x', previous_response_id: id }),
    ).rejects.toMatchObject({
      code: 'previous_response_not_found',
    });
    await expect(other.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });
});
