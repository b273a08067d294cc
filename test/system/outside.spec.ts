import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Proxy } from '../http-proxy.js';
import { Caudex } from './caudex.js';
import { END, FakeLlm, chunk, says } from './fake-llm.js';

describe('an external service', () => {
  let llm: FakeLlm;
  let proxy: Proxy;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = says('From afar.');
    proxy = await Proxy.start(() => Number(new URL(llm.url).port));
  });
  beforeEach(() => (proxy.asked.length = 0));
  afterAll(async () => {
    proxy.stop();
    await llm.stop();
  });

  async function answerWith(env: Record<string, string>): Promise<{ response: string; model: string }> {
    const caudex = await Caudex.start({ LLM_MODEL: 'fake', ...env });
    try {
      return await (await caudex.signUp()).chat(undefined, 'Hello?');
    } finally {
      await caudex.stop();
    }
  }

  it.each(['HTTP_PROXY', 'http_proxy', 'CAUDEX__LLM__REQUEST__PROXY'])(
    'is reached through %s',
    async (variable) => {
      const answer = await answerWith({ LLM_BASE_URL: 'http://model.test/v1', [variable]: proxy.url });
      expect(answer.response).toBe('From afar.');
      expect(proxy.asked).toHaveLength(1);
      expect(proxy.asked[0]).toContain('model.test');
    },
    60_000,
  );

  it('is reached directly on this machine, where NO_PROXY names it, and for a model of its own way', async () => {
    const env = { LLM_BASE_URL: llm.url, HTTP_PROXY: proxy.url };
    expect(await answerWith(env)).toMatchObject({ response: 'From afar.' });
    const named = { LLM_BASE_URL: 'http://model.test:1/v1', HTTP_PROXY: proxy.url };
    expect(await answerWith({ ...named, NO_PROXY: '.test' })).toMatchObject({ model: 'extractive' });
    expect(await answerWith({ ...named, CAUDEX__LLM__REQUEST__PROXY: 'none' })).toMatchObject({ model: 'extractive' });
    expect(proxy.asked).toEqual([]);
  }, 120_000);

  it('is found by fetch through the proxy as well', async () => {
    const env = { EMBEDDINGS_BASE_URL: 'http://embedder.test/v1', EMBEDDINGS_MODEL: 'any', HTTP_PROXY: proxy.url };
    const caudex = await Caudex.start(env);
    const ann = await caudex.signUp();
    await ann.request('POST', '/v1/embeddings', '{"model":"caudex","input":"x"}', {
      'content-type': 'application/json',
    });
    await caudex.stop();
    expect(proxy.asked.join(' ')).toContain('embedder.test');
  }, 60_000);

  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
  (hasOpenssl ? it : it.skip)(
    'with a certificate of its own is trusted by ca_file',
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'caudex-ca-'));
      const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
        { stdio: 'ignore' },
      );
      const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.end(chunk('Privately.') + END);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const LLM_BASE_URL = `https://localhost:${(server.address() as AddressInfo).port}/v1`;
      expect(await answerWith({ LLM_BASE_URL })).toMatchObject({ model: 'extractive' });
      expect(await answerWith({ LLM_BASE_URL, CAUDEX__LLM__REQUEST__CA_FILE: cert })).toMatchObject({
        response: 'Privately.',
      });
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true });
    },
    60_000,
  );
});
