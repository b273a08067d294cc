import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { encode } from 'gpt-tokenizer/encoding/cl100k_base';
import OpenAI from 'openai';
import { Caudex, type Person } from './caudex.js';

const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

describe('embeddings without an embedder that is configured', () => {
  let caudex: Caudex;
  let ann: Person;
  let client: OpenAI;

  beforeAll(async () => {
    caudex = await Caudex.start();
    ann = await caudex.signUp();
    client = new OpenAI({ apiKey: ann.token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
  }, 60_000);
  afterAll(() => caudex.stop());

  const embed = (more: object) => client.embeddings.create({ model: 'caudex', input: 'x', ...more });

  it('are vectors of the words, and are marked as such', async () => {
    const answer = await embed({ input: ['ripe pears', 'pears that are ripe', 'a bicycle pump'] });
    expect(answer).toMatchObject({ model: 'hashed-projection', caudex: { pretrained: false, dimensions: 256 } });
    const [a, b, c] = answer.data.map(({ embedding }) => embedding) as [number[], number[], number[]];
    expect(cosine(a, a)).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeGreaterThan(0.9);
    expect(cosine(a, c)).toBeLessThan(0.5);
  });

  it('are equal as floats and as base64, which the SDK requests by default', async () => {
    const [packed, plain] = await Promise.all([embed({}), embed({ encoding_format: 'float' })]);
    expect(packed.data[0]?.embedding).toHaveLength(256);
    for (const [index, value] of (packed.data[0]?.embedding ?? []).entries()) {
      expect(value).toBeCloseTo(plain.data[0]?.embedding[index] ?? NaN, 6);
    }
  });

  it('accept a text, many texts and tokens', async () => {
    const texts = Array.from({ length: 40 }, (_, index) => `text number ${index}`);
    const [one, many, tokens, lists] = await Promise.all([
      embed({ input: 'ripe pears' }),
      embed({ input: texts }),
      embed({ input: encode('ripe pears') }),
      embed({ input: [encode('ripe pears'), encode('x')] }),
    ]);
    expect(many.data.map(({ index }) => index)).toEqual(texts.map((_, index) => index));
    expect(tokens.data[0]?.embedding).toEqual(one.data[0]?.embedding);
    expect(lists.data[0]?.embedding).toEqual(one.data[0]?.embedding);
    expect(one.usage.total_tokens).toBeGreaterThan(0);
  });

  it.each([
    [{ model: 'text-embedding-3-small' }, 404, 'model_not_found', 'model'],
    [{ model: 'caudex:nobodys' }, 404, 'not_found', null],
    [{ dimensions: 100 }, 400, 'unsupported_parameter', 'dimensions'],
    [{ input: '' }, 400, 'invalid_request', 'input'],
    [{ input: [] }, 400, 'invalid_request', 'input'],
    [{ input: [1, 'x'] }, 400, 'invalid_request', 'input'],
    [{ input: [999_999_999] }, 400, 'unsupported_parameter', 'input'],
    [{ encoding_format: 'hex' }, 400, 'invalid_request', 'encoding_format'],
  ])('refuse %j in the shape of OpenAI', async (more, status, code, param) => {
    await expect(embed(more)).rejects.toMatchObject({ status, code, param, type: 'invalid_request_error' });
  });

  it('accept their own dimensions, and an API key with the scope read', async () => {
    const { key } = await ann.post<{ key: string }>('/v1/api/keys', { name: 'vectors', scopes: ['read'] }, 201);
    const own = new OpenAI({ apiKey: key, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
    const { data } = await own.embeddings.create({ model: 'caudex', input: 'x', dimensions: 256 });
    expect(data[0]?.embedding).toHaveLength(256);
    const { key: chatting } = await ann.post<{ key: string }>('/v1/api/keys', { name: 'no', scopes: ['chat'] }, 201);
    const other = new OpenAI({ apiKey: chatting, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
    await expect(other.embeddings.create({ model: 'caudex', input: 'x' })).rejects.toMatchObject({ status: 403 });
  });
});

describe('embeddings by an endpoint that is configured', () => {
  let endpoint: Server;
  let works = true;
  const batches: number[] = [];
  let caudex: Caudex;
  let client: OpenAI;

  beforeAll(async () => {
    endpoint = createServer((request, reply) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (!works) return reply.writeHead(500).end();
        const { input } = JSON.parse(body) as { input: string[] };
        batches.push(input.length);
        const data = input.map((text, index) => ({ index, embedding: [text.length, 1, 0] }));
        return reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
      });
    }).listen(0, '127.0.0.1');
    await once(endpoint, 'listening');
    caudex = await Caudex.start({
      EMBEDDINGS_BASE_URL: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
      EMBEDDINGS_MODEL: 'test-embedder',
    });
    const { token } = await caudex.signUp();
    client = new OpenAI({ apiKey: token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    endpoint.closeAllConnections();
    endpoint.close();
  });

  it('are those of the endpoint, by its name or ours, in calls of limited size', async () => {
    const input = Array.from({ length: 50 }, (_, index) => 'x'.repeat(index + 1));
    const answer = await client.embeddings.create({ model: 'test-embedder', input });
    expect(answer).toMatchObject({ model: 'test-embedder', caudex: { pretrained: true, dimensions: 3 } });
    expect(answer.data).toHaveLength(50);
    expect(answer.data[9]?.embedding[0]).toBeCloseTo(10 / Math.hypot(10, 1), 5);
    expect(Math.max(...batches)).toBeLessThanOrEqual(16);
    expect((await client.embeddings.create({ model: 'caudex', input: 'x' })).model).toBe('test-embedder');
  });

  it('are refused with 503 while it is unavailable, and search works', async () => {
    works = false;
    for (let attempt = 0; attempt < 8; attempt++) {
      await expect(client.embeddings.create({ model: 'caudex', input: 'x' })).rejects.toMatchObject({
        status: 503,
        code: 'embedder_unavailable',
        type: 'server_error',
      });
    }
    expect(await caudex.breaker('chroma')).toMatchObject({ state: 'closed', failure_count: 0 });
    works = true;
    expect((await client.embeddings.create({ model: 'caudex', input: 'x' })).data).toHaveLength(1);
  });
});
