import OpenAI from 'openai';
import { Caudex, type Person, until } from './caudex.js';

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
