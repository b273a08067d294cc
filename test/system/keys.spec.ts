import OpenAI from 'openai';
import { Caudex, type Person, until } from './caudex.js';

interface Key {
  id: string;
  key: string;
  name: string;
  last_used_at: string | null;
}

describe('API keys', () => {
  let caudex: Caudex;
  let ann: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start();
    ann = await caudex.signUp();
    project = await ann.project('Pears');
    await ann.upload(project, 'pears.md', '# Pears\n\nPears ripen in September.');
  }, 120_000);
  afterAll(() => caudex.stop());

  async function create(body: object): Promise<Key> {
    return ann.post<Key>('/v1/api/keys', { name: 'mine', ...body }, 201);
  }

  async function status(key: string, method: string, path: string, body?: object): Promise<number> {
    const answer = await fetch(caudex.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  it('are shown once, listed without their secret, and show their last use', async () => {
    const { id, key } = await create({});
    expect(key).toMatch(/^cdx_[\w-]{43}$/);
    expect(await status(key, 'GET', '/v1/api/projects')).toBe(200);
    const { keys } = await ann.get<{ keys: Key[] }>('/v1/api/keys');
    expect(JSON.stringify(keys)).not.toContain(key.slice(10));
    expect(keys.find((one) => one.id === id)?.last_used_at).toMatch(/^\d{4}-/);
  });

  it('for one project open no conversation about another one', async () => {
    const other = await ann.project('Plums');
    const { conversation_id, message_id } = await ann.chat(other, 'Which plums?');
    const { key } = await create({ scopes: ['chat'], project_id: project });
    const asked = { project_id: project, message: 'What did I ask?', conversation_id };
    expect(await status(key, 'POST', '/v1/api/chat', asked)).toBe(403);
    const previous_response_id = `resp_${conversation_id}.${message_id}`;
    const response = { model: `caudex:${project}`, input: 'What did I ask?', previous_response_id };
    expect(await status(key, 'POST', '/v1/responses', response)).toBe(403);
    expect(await status(key, 'POST', '/v1/api/chat', { project_id: project, message: 'Which pears?' })).toBe(200);
  });

  it('are accepted by the OpenAI client', async () => {
    const { key } = await create({ scopes: ['chat', 'read'] });
    const client = new OpenAI({ apiKey: key, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toContain(`caudex:${project}`);
    const answer = await client.chat.completions.create({
      model: `caudex:${project}`,
      messages: [{ role: 'user', content: 'When do pears ripen?' }],
    });
    expect(answer.choices[0]?.message.content).toContain('September');
  });

  it('allow the calls of their scopes, and no others', async () => {
    const { key } = await create({ scopes: ['read'] });
    expect(await status(key, 'POST', '/v1/api/search', { query: 'pears', project_id: project })).toBe(200);
    expect(await status(key, 'POST', '/v1/api/chat', { message: 'pears', project_id: project })).toBe(403);
    expect(await status(key, 'POST', '/v1/api/projects', { name: 'new' })).toBe(403);
    expect(await status(key, 'GET', '/v1/api/keys')).toBe(403);
    expect(await status(key, 'GET', '/v1/api/status/outbox')).not.toBe(200);
  });

  it('give access to one project where they name one', async () => {
    const other = await ann.project('Plums');
    const { key } = await create({ project_id: project });
    expect(await status(key, 'GET', `/v1/api/projects/${project}`)).toBe(200);
    expect(await status(key, 'GET', `/v1/api/projects/${other}`)).toBe(403);
    expect(await status(key, 'POST', '/v1/api/search', { query: 'pears', project_id: other })).toBe(403);
    expect(await status(key, 'GET', `/v1/api/search?q=pears&project_id=${project}`)).toBe(200);
    expect(await status(key, 'POST', '/v1/api/projects', { name: 'new' })).toBe(403);
    const answer = await fetch(`${caudex.url}/v1/api/projects`, { headers: { authorization: `Bearer ${key}` } });
    const { projects } = (await answer.json()) as { projects: { project_id: string }[] };
    expect(projects.map(({ project_id }) => project_id)).toEqual([project]);
  });

  it('are refused once they are revoked or expired', async () => {
    const { id, key } = await create({});
    expect(await status(key, 'GET', '/v1/api/auth/check')).toBe(200);
    expect((await ann.request('DELETE', `/v1/api/keys/${id}`)).status).toBe(204);
    expect(await status(key, 'GET', '/v1/api/auth/check')).toBe(401);
    expect((await ann.request('DELETE', `/v1/api/keys/${id}`)).status).toBe(404);
    const short = await create({ expires_at: new Date(Date.now() + 1500).toISOString() });
    await until('the key has expired', async () => (await status(short.key, 'GET', '/v1/api/auth/check')) === 401);
  });

  it.each([
    ['a name', { name: '' }],
    ['a scope', { name: 'x', scopes: ['all'] }],
    ['a time', { name: 'x', expires_at: '2020-01-01T00:00:00Z' }],
  ])('are refused for %s that is not good', async (_what, body) => {
    await ann.post('/v1/api/keys', body, 400);
  });

  it('are 404 for a project that is not yours', async () => {
    const bob = await caudex.signUp();
    await bob.post('/v1/api/keys', { name: 'x', project_id: project }, 404);
  });
});
