import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { Caudex, type Person, until } from '../system/caudex.js';
import { FakeLlm, says } from '../system/fake-llm.js';

/** The proxy of LiteLLM, as `.ci/clients` installs it. */
const LITELLM = join(process.env['CAUDEX_CLIENTS'] ?? '/nowhere', 'proxy/bin/litellm');
const KEY = 'sk-0123456789abcdef0123456789abcdef';
const whereInstalled = existsSync(LITELLM) ? describe : describe.skip;

/** A model endpoint behind the proxy, which translates its errors and streams. */
whereInstalled('a model behind the proxy of LiteLLM', () => {
  let llm: FakeLlm;
  let proxy: ChildProcess;
  let folder: string;
  let caudex: Caudex;
  let ann: Person;
  let project: string;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    folder = await mkdtemp(join(tmpdir(), 'caudex-litellm-'));
    const model = { model: 'openai/fake', api_base: llm.url, api_key: 'a-key', max_retries: 0 };
    const config = { model_list: [{ model_name: 'fake', litellm_params: model }], router_settings: { num_retries: 0 } };
    // JSON is YAML.
    await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    proxy = spawn(LITELLM, ['--config', 'config.yaml', '--host', '127.0.0.1', '--port', String(port)], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_MASTER_KEY: KEY },
      stdio: 'ignore',
    });
    await until('the proxy answers', async () => (await fetch(`${url}/health/liveliness`)).ok, 120_000);
    caudex = await Caudex.start({ LLM_BASE_URL: `${url}/v1`, LLM_MODEL: 'fake', LLM_API_KEY: KEY });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nThe pears ripen in September.');
    await until('the document is indexed', async () => (await ann.search(project, 'pears')).source === 'hybrid');
  }, 240_000);
  afterAll(async () => {
    await caudex?.stop();
    if (proxy.exitCode === null) {
      proxy.kill('SIGKILL');
      await once(proxy, 'exit');
    }
    await llm.stop();
    await rm(folder, { recursive: true, force: true });
  });

  interface LlmStatus {
    state: string;
    misconfigured: boolean;
  }
  const status = async () => (await ann.get<{ services: { llm: LlmStatus } }>('/v1/api/status/services')).services.llm;
  const ask = (message: string) => ann.chat(project, message);
  const refuses = (status: number, error: object, headers: Record<string, string> = {}) => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(status, { 'content-type': 'application/json', ...headers });
      reply.end(JSON.stringify({ error }));
    };
  };
  /** Only the backend keeps the state of the model; a new process has none. */
  const renew = async () => {
    await caudex.kill('backend', 'SIGTERM');
    await caudex.launch('backend');
  };

  it('answers, as JSON and as a stream', async () => {
    llm.behaviour = says('In September [1].');
    expect(await ask('When do pears ripen?')).toMatchObject({ response: 'In September [1].', state: 'complete' });
    const events = await ann.chatStream(project, 'And when do pears ripen?');
    const text = events.map(({ data }) => (data === '[DONE]' || data.type !== 'text-delta' ? '' : data.delta)).join('');
    expect(text).toBe('In September [1].');
  }, 60_000);

  it('has its thinking shown apart from the answer', async () => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      const send = (delta: object, finish_reason: string | null = null) =>
        reply.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
      send({ reasoning_content: 'Pears are fruits.' });
      send({ content: 'In September [1].' });
      send({}, 'stop');
      reply.end('data: [DONE]\n\n');
    };
    const events = await ann.chatStream(project, 'When is it that pears ripen?');
    const of = (type: string) =>
      events.map(({ data }) => (data === '[DONE]' || data.type !== type ? '' : (data.delta ?? ''))).join('');
    expect([of('reasoning-delta'), of('text-delta')]).toEqual(['Pears are fruits.', 'In September [1].']);
  }, 60_000);

  it('has a rejected key told as a misconfiguration, which opens no breaker', async () => {
    refuses(401, { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' });
    expect(await ask('Which month is it?')).toMatchObject({ model: 'extractive' });
    expect(await status()).toMatchObject({ state: 'closed', misconfigured: true });
    llm.behaviour = says('In September [1].');
    expect(await ask('Which month?')).toMatchObject({ model: 'fake' });
    expect(await status()).toMatchObject({ misconfigured: false });
  }, 60_000);

  it('gets a shorter prompt after the first was too long', async () => {
    const before = llm.requests.length;
    llm.behaviour = (request, reply) => {
      if (llm.requests.length > before + 1) return says('In September [1].')(request, reply);
      reply.writeHead(400, { 'content-type': 'application/json' });
      const message =
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.";
      reply.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'context_length_exceeded' } }));
    };
    expect(await ask('When do all pears ripen?')).toMatchObject({ response: 'In September [1].', model: 'fake' });
  }, 60_000);

  it('is not asked while it rests after a 429', async () => {
    refuses(
      429,
      { message: 'Rate limit reached. Please try again in 30s.', code: 'rate_limit_exceeded' },
      { 'retry-after': '30' },
    );
    expect(await ask('When would pears ripen?')).toMatchObject({ model: 'extractive' });
    const requests = llm.requests.length;
    llm.behaviour = says('In September [1].');
    expect(await ask('When will pears ripen?')).toMatchObject({ model: 'extractive' });
    expect(llm.requests.length).toBe(requests);
    expect(await status()).toMatchObject({ state: 'closed' });
    await renew();
    expect(await ask('When will the pears ripen?')).toMatchObject({ model: 'fake' });
  }, 60_000);
});
