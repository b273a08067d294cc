import { randomBytes } from 'node:crypto';
import { Caudex, type Person, until } from '../system/caudex.js';
import { FakeCollector, type ReceivedSpan } from './fake-collector.js';
import { FakeLlm, says } from '../system/fake-llm.js';

const PLANTED = {
  email: 'planted-address@example.org',
  password: 'planted-wrong-password',
  document: 'planted-document-path',
  text: 'plantedtext',
  query: 'plantedquery',
  question: 'plantedquestion',
  answer: 'plantedanswer',
  address: 'planted-address-nowhere',
  llmKey: 'planted-llm-key',
  internalToken: 'planted-internal-token-0123456789abcdef',
};

const EXPORT_TIMEOUT_MS = 500;
/** The request, the attempt, and the request at the chroma server. */
const SEARCH_SPANS = 3;
const ATTRIBUTES = [
  'error.type',
  'http.request.method',
  'http.request.resend_count',
  'http.response.status_code',
  'http.route',
  'server.address',
  'server.port',
  'url.scheme',
  'url.template',
];

interface Asked {
  traceId: string;
  /** The id of the calling span. */
  parent: string;
  status: number;
}

describe('traces', () => {
  const collector = new FakeCollector();
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  let asked: Record<'search' | 'unsampled' | 'history' | 'chat' | 'last', Asked>;

  beforeAll(async () => {
    [llm] = await Promise.all([FakeLlm.start(), collector.start()]);
    llm.behaviour = says(`${PLANTED.answer} [1].`);
    caudex = await Caudex.start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      // The exporter's own variable: it gives up after the first try.
      OTEL_EXPORTER_OTLP_TIMEOUT: String(EXPORT_TIMEOUT_MS),
      LLM_BASE_URL: llm.url,
      LLM_MODEL: 'fake-1',
      LLM_API_KEY: PLANTED.llmKey,
      INTERNAL_SERVICE_TOKEN: PLANTED.internalToken,
    });
    ann = await caudex.signUp(PLANTED.email);
    project = await ann.project();
    await ann.upload(project, `${PLANTED.document}.md`, `# ${PLANTED.text}\n\nHere is ${PLANTED.text}.`);
    const indexed = async () => (await ann.search(project, PLANTED.text)).source === 'hybrid';
    await until('the document is indexed', indexed);
    asked = await askEverything();
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await Promise.all([llm.stop(), collector.stop()]);
  });

  /** Makes a request in a new trace. */
  async function ask(method: string, path: string, body?: object, flags = '01'): Promise<Asked> {
    const [traceId, parent] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
    const reply = await ann.request(method, path, body && JSON.stringify(body), {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      traceparent: `00-${traceId}-${parent}-${flags}`,
    });
    await reply.text();
    return { traceId, parent, status: reply.status };
  }
  const search = (flags?: string) =>
    ask('POST', '/v1/api/search', { query: PLANTED.query, project_id: project }, flags);

  /** Makes all requests at once, because spans are sent once a second. */
  async function askEverything(): Promise<typeof asked> {
    const searched = await search();
    const unsampled = await search('00');
    const chat = await ask('POST', '/v1/api/chat', { message: PLANTED.question, project_id: project });
    for (const path of ['/health/live', '/health/ready', '/health', '/metrics', `/${PLANTED.address}`]) {
      await ask('GET', path);
    }
    await ask('GET', `/v1/api/search?q=${PLANTED.query}&project_id=${project}`);
    await ask('GET', `/v1/api/projects/${project}/documents/${PLANTED.document}.md`);
    await ask('POST', '/v1/api/auth/login', { email: PLANTED.email, password: PLANTED.password });
    await caudex.kill('git');
    const history = await ask('GET', `/v1/api/projects/${project}/history`);
    return { search: searched, unsampled, chat, history, last: await search() };
  }

  /** The spans of one request, when there are so many. */
  const spansOf = (name: keyof typeof asked, count: number) =>
    until(`the ${count} spans of ${name} arrive`, async () => {
      const spans = collector.trace(asked[name].traceId);
      return spans.length >= count && spans;
    });
  const only = (spans: ReceivedSpan[], service: string, name: string): ReceivedSpan => {
    const found = spans.filter((span) => span.service === service && span.name === name);
    expect(found).toHaveLength(1);
    return found[0] as ReceivedSpan;
  };

  it('show a search across the processes', async () => {
    const spans = await spansOf('search', SEARCH_SPANS);
    const request = only(spans, 'caudex-backend', 'POST /v1/api/search');
    const attempt = only(spans, 'caudex-backend', 'POST /query');
    const served = only(spans, 'caudex-chroma', 'POST /query');
    expect(request).toMatchObject({ kind: 'server', parentSpanId: asked.search.parent, failed: false });
    expect(attempt).toMatchObject({ kind: 'client', parentSpanId: request.spanId, failed: false });
    expect(served).toMatchObject({ kind: 'server', parentSpanId: attempt.spanId, failed: false });
    const { backend, chroma } = caudex.ports;
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/api/search',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': backend,
    });
    expect(attempt.attributes).toEqual({
      'http.request.method': 'POST',
      'url.template': '/query',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': chroma,
    });
  });

  it('show each failed attempt with its reason', async () => {
    expect(asked.history.status).toBe(503);
    const spans = await spansOf('history', 4);
    const request = only(spans, 'caudex-backend', 'GET /v1/api/projects/:project_id/history');
    expect(request).toMatchObject({
      failed: true,
      attributes: { 'error.type': '503', 'http.response.status_code': 503 },
    });
    const attempts = spans.filter((span) => span.attributes['server.port'] === caudex.ports.git);
    expect(attempts.map((span) => span.attributes['http.request.resend_count'])).toEqual([undefined, 1, 2]);
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({ kind: 'client', parentSpanId: request.spanId, failed: true });
      expect(attempt.attributes).toMatchObject({ 'error.type': 'unreachable' });
      expect(attempt.attributes).not.toHaveProperty('http.response.status_code');
    }
  });

  it('send no trace context to the model', async () => {
    const spans = await spansOf('chat', 5);
    const request = only(spans, 'caudex-backend', 'POST /v1/api/chat');
    expect(only(spans, 'caudex-backend', 'POST /chat/completions')).toMatchObject({
      kind: 'client',
      parentSpanId: request.spanId,
      failed: false,
      attributes: { 'http.response.status_code': 200, 'url.template': '/chat/completions' },
    });
    expect(llm.headers).toHaveLength(1);
    expect(llm.headers[0]).not.toHaveProperty('traceparent');
  });

  it('leave out requests that are not sampled, and probes', async () => {
    await spansOf('last', SEARCH_SPANS);
    expect(asked.unsampled.status).toBe(200);
    expect(collector.trace(asked.unsampled.traceId)).toEqual([]);
    expect(collector.spans.filter(({ name }) => /health|metrics/.test(name))).toEqual([]);
  });

  it('contain no words, names and secrets of users', async () => {
    await spansOf('last', SEARCH_SPANS);
    const sent = collector.bodies.join('\n');
    expect(sent).toContain('/v1/api/projects/:project_id/documents/*');
    const leaks = Object.entries({ ...PLANTED, token: ann.token, project }).filter(([, text]) => sent.includes(text));
    expect(leaks).toEqual([]);
    const names = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].sort()).toEqual(ATTRIBUTES);
  });

  it('do not slow a request while the collector hangs or is unavailable, which is logged once', async () => {
    collector.hangs = true;
    const told = () => caudex.output.join('').match(/"Traces: .*?"/g) ?? [];
    const tookMs: number[] = [];
    await until('it is told', async () => {
      const beganAt = performance.now();
      expect((await search()).status).toBe(200);
      tookMs.push(performance.now() - beganAt);
      return told().length > 0;
    });
    await collector.stop();
    expect((await search()).status).toBe(200);
    expect(tookMs.sort((a, b) => a - b)[tookMs.length >> 1]).toBeLessThan(EXPORT_TIMEOUT_MS / 2);
    expect(told()[0]).toContain('takes no spans: Request timed out');
    await collector.start();
  });

  it('are sent completely when a process stops', async () => {
    const { traceId } = await search();
    await caudex.kill('backend', 'SIGTERM');
    expect(collector.trace(traceId).map(({ name }) => name)).toContain('POST /v1/api/search');
  });
});
