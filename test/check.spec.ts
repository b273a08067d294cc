import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { check, checkAtStart } from '../src/check/check.js';
import { loadConfig } from '../src/config/config.loader.js';
import { freePort } from './free-port.js';
import { Proxy } from './http-proxy.js';

const TOKEN = 'a-token-of-this-test';

describe('the check of all parts', () => {
  let server: Server;
  let url: string;
  const headersOf = new Map<string | undefined, IncomingHttpHeaders>();
  let answers: Record<string, [status: number, body: unknown]>;

  beforeEach(async () => {
    answers = {
      'GET /health/ready': [200, { status: 'ok' }],
      'GET /': [404, {}],
      'GET /api/v2/auth/identity': [200, {}],
      'GET /v1/models': [200, { data: [{ id: 'small' }] }],
      'POST /v1/embeddings': [200, { data: [{ embedding: [1, 2, 3] }] }],
    };
    server = createServer((request, response) => {
      headersOf.set(request.url, request.headers);
      const [status, body] = answers[`${request.method} ${request.url}`] ?? [404, {}];
      const internal = request.url === '/' && request.headers['x-internal-token'] !== TOKEN;
      response.writeHead(internal ? 401 : status).end(JSON.stringify(body));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const configOf = (settings: Record<string, string> = {}) => {
    const urls = ['AUTH', 'FILESYSTEM', 'CHROMA', 'BILLING', 'GIT'].map((name) => [`${name}_SERVER_URL`, url]);
    const env = {
      NODE_ENV: 'test',
      PORT: new URL(url).port,
      INTERNAL_SERVICE_TOKEN: TOKEN,
      CHROMADB_URL: url,
      LLM_BASE_URL: `${url}/v1`,
      LLM_MODEL: 'small',
      EMBEDDINGS_BASE_URL: `${url}/v1`,
      EMBEDDINGS_MODEL: 'vectors',
      ...(Object.fromEntries(urls) as Record<string, string>),
      ...settings,
    };
    return loadConfig(env, join(import.meta.dirname, '../config'));
  };
  const run = async (settings: Record<string, string> = {}) => {
    const lines: string[] = [];
    const code = await check(configOf(settings), (line) => lines.push(line));
    return { code, row: (part: string) => lines.find((line) => line.startsWith(`${part} `)), lines };
  };

  it('is 0 and lists every configured part where all answer', async () => {
    const { code, lines, row } = await run();
    expect(lines.at(-1)).toBe('All 9 parts answer.');
    expect(code).toBe(0);
    expect(row('llm')).toMatch(/ ok +has small$/);
    expect(row('embeddings')).toMatch(/ ok +3 dimensions$/);
    expect(row('redis')).toBeUndefined();
  });

  it('is 1 and names the setting of each part that is unavailable', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const { code, row, lines } = await run({
      BILLING_SERVER_URL: `http://${nowhere}`,
      CHROMADB_URL: `http://${nowhere}`,
      REDIS_URL: `redis://${nowhere}`,
      GRAPH_SERVER_URL: `bolt://${nowhere}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${nowhere}`,
    });
    expect(code).toBe(1);
    expect(row('billing')).toMatch(/ FAILED +BILLING_SERVER_URL +.*ECONNREFUSED/);
    expect(row('chromadb')).toMatch(/ FAILED +CHROMADB_URL +.*ECONNREFUSED/);
    expect(row('redis')).toMatch(/ FAILED +REDIS_URL +.*ECONNREFUSED/);
    expect(row('neo4j')).toMatch(/ FAILED +GRAPH_SERVER_URL +.*ECONNREFUSED/);
    expect(row('collector')).toMatch(/ FAILED +OTEL_EXPORTER_OTLP_ENDPOINT +.*ECONNREFUSED/);
    expect(lines.at(-1)).toBe('5 of 12 parts failed.');
  });

  it.each([
    ['auth', { INTERNAL_SERVICE_TOKEN: 'another' }, {}, 'refuses the internal token', 'INTERNAL_SERVICE_TOKEN'],
    ['auth', {}, { 'GET /health/ready': [503, {}] }, 'is not ready (status 503)', 'AUTH_SERVER_URL'],
    ['llm', {}, { 'GET /v1/models': [401, {}] }, 'asks for a key (401)', 'LLM_API_KEY'],
    ['llm', { LLM_API_KEY: 'x' }, { 'GET /v1/models': [401, {}] }, 'refuses the key (401)', 'LLM_API_KEY'],
    ['llm', {}, { 'GET /v1/models': [400, { error: { message: 'API key not valid.' } }] }, 'not valid', 'LLM_API_KEY'],
    ['chromadb', {}, { 'GET /api/v2/auth/identity': [403, {}] }, 'asks for a key (403)', 'CHROMADB_TOKEN'],
    ['embeddings', {}, { 'POST /v1/embeddings': [404, 'no such model'] }, 'answers 404', 'EMBEDDINGS_MODEL'],
  ] as const)('says of %s what is wrong: %j %j', async (part, settings, wrong, what, setting) => {
    Object.assign(answers, wrong);
    const { code, row } = await run(settings);
    expect(code).toBe(1);
    expect(row(part)).toMatch(new RegExp(` FAILED +${setting} +`));
    expect(row(part)).toContain(what);
  });

  it('accepts an endpoint without a list of models, and reports a list without the model', async () => {
    answers['GET /v1/models'] = [200, { data: [{ id: 'another' }] }];
    expect((await run()).row('llm')).toMatch(/ ok +answers; it does not list small$/);
    answers['GET /v1/models'] = [404, {}];
    expect((await run()).row('llm')).toMatch(/ ok +answers; it has no list of models$/);
  });

  it('reads the list of models beside a whole URL, with the query and the headers of the model', async () => {
    const settings = {
      LLM_BASE_URL: `${url}/openai/chat/completions?api-version=1`,
      CAUDEX__LLM__REQUEST__HEADERS: '{"api-key": "of azure"}',
    };
    answers['GET /openai/models?api-version=1'] = [200, { data: [{ id: 'small' }] }];
    expect((await run(settings)).row('llm')).toMatch(/ ok +has small$/);
    expect(headersOf.get('/openai/models?api-version=1')).toMatchObject({ 'api-key': 'of azure' });
  });

  it('reaches a model through its own proxy, with its headers, also where the address lacks /v1', async () => {
    const proxy = await Proxy.start(() => Number(new URL(url).port));
    const { row } = await run({
      LLM_BASE_URL: 'http://model.test',
      LLM_API_KEY: 'unused',
      CAUDEX__LLM__REQUEST__PROXY: proxy.url,
      CAUDEX__LLM__REQUEST__HEADERS: '{"Authorization": "Basic eA=="}',
    });
    proxy.stop();
    expect(row('llm')).toMatch(/ ok +has small$/);
    expect(proxy.asked[0]).toContain('model.test');
    expect(headersOf.get('/v1/models')).toMatchObject({ authorization: 'Basic eA==' });
  });

  it('after a start logs one line for each part that the process uses', async () => {
    const lines: string[] = [];
    const log = {
      log: (line: string) => lines.push(`info: ${line}`),
      warn: (line: string) => lines.push(`warn: ${line}`),
    };
    answers['GET /v1/models'] = [401, {}];
    await checkAtStart('backend', configOf(), log, 0);
    expect(lines).toHaveLength(6);
    expect(lines).toContain(`info: backend uses auth at ${url}: ready`);
    expect(lines).toContain(`warn: backend cannot use llm at ${url}/v1: asks for a key (401) (LLM_API_KEY)`);
    lines.length = 0;
    await checkAtStart('chroma', configOf(), log, 0);
    expect(lines).toEqual([
      `info: chroma uses chromadb at ${url}: answers`,
      `info: chroma uses embeddings at ${url}/v1: 3 dimensions`,
    ]);
  });
});
