import { fastify, type FastifyInstance } from 'fastify';
import { Tracing } from '../../src/tracing/tracing.js';
import { until } from '../system/caudex.js';
import { FakeCollector } from './fake-collector.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SAMPLED = `00-${TRACE}-b7ad6b7169203331-01`;

describe('the spans of requests', () => {
  const collector = new FakeCollector();
  let server: FastifyInstance;
  let url: string;
  let tracing: Tracing;
  const warnings: string[] = [];

  beforeAll(async () => {
    // The exporter's own variable: it would try for ten seconds.
    process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '1500';
    await collector.start();
  });
  afterAll(async () => {
    delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT'];
    await collector.stop();
  });
  async function serve(sampleRatio: number): Promise<void> {
    collector.spans.length = 0;
    tracing = new Tracing('billing', `${collector.url}/`, sampleRatio, (message) => void warnings.push(message));
    server = fastify();
    tracing.requests(server);
    server.get('/seen/:what', (request) => Promise.resolve({ seen: request.headers['traceparent'] }));
    server.get('/fails', (_, reply) => reply.status(503).send());
    server.get('/breaks-off', (_, reply) => {
      reply.hijack();
      reply.raw.write('half', () => reply.raw.destroy());
    });
    url = await server.listen({ port: 0, host: '127.0.0.1' });
  }
  const get = async (path: string, traceparent?: string) => {
    const answer = await fetch(url + path, { headers: traceparent === undefined ? {} : { traceparent } });
    return answer.text();
  };
  const end = async () => {
    await server.close();
    await tracing.stop();
    expect(warnings).toEqual([]);
  };

  it('continue the trace of a valid traceparent', async () => {
    await serve(1);
    const seen = await get('/seen/it', SAMPLED);
    await end();
    const [span] = collector.spans;
    expect(span).toMatchObject({ service: 'caudex-billing', traceId: TRACE, parentSpanId: 'b7ad6b7169203331' });
    expect(seen).toBe(`{"seen":"00-${TRACE}-${span?.spanId}-01"}`);
  });

  it('start a trace where the traceparent is missing or malformed', async () => {
    await serve(1);
    await get('/seen/it');
    await get('/seen/it', 'nonsense');
    await get('/seen/it', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`);
    await end();
    expect(collector.spans.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined, undefined]);
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it('are sampled by the ratio, unless the caller has decided', async () => {
    await serve(0);
    const seen = await get('/seen/it');
    await get('/seen/it', SAMPLED);
    await end();
    expect(seen).toMatch(/^\{"seen":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"\}$/);
    expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE]);
  });

  it('report failures: a 5xx and an interrupted answer, but not a 4xx', async () => {
    await serve(1);
    await get('/fails');
    await expect(get('/breaks-off')).rejects.toThrow();
    await get('/nowhere');
    await end();
    expect(collector.spans.map(({ name, failed, attributes }) => [name, failed, attributes['error.type']])).toEqual([
      ['GET /fails', true, '503'],
      ['GET /breaks-off', true, 'incomplete'],
      ['GET', false, undefined],
    ]);
  });

  it('do not delay the end of the process', async () => {
    await serve(1);
    await get('/seen/it');
    await server.close();
    collector.hangs = true;
    const beganAt = performance.now();
    await tracing.stop();
    const tookMs = performance.now() - beganAt;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(1400);
    await until('the exporter gives up', async () => warnings.length > 0);
  });
});
