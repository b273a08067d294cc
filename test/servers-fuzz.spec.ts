import fc from 'fast-check';
import type { AppName } from '../src/config/config.schema.js';
import { authContract } from '../src/downstream/auth/auth.contract.js';
import { AuthServerModule } from '../src/downstream/auth/server/auth-server.module.js';
import { billingContract } from '../src/downstream/billing/billing.contract.js';
import { BillingServerModule } from '../src/downstream/billing/server/billing-server.module.js';
import type { Endpoint, ServiceContract } from '../src/contract/endpoint.js';
import { filesystemContract } from '../src/downstream/filesystem/filesystem.contract.js';
import { FilesystemServerModule } from '../src/downstream/filesystem/server/filesystem-server.module.js';
import type { AppModule } from '../src/http/server.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

const RUNS = 60;
const SEED = 1;

const nasty = fc.constantFrom<unknown>(
  ...[
    '',
    ' ',
    '..',
    '../../etc/passwd',
    '/',
    '\0',
    'a\0b',
    '\ud800',
    'é',
    'e\u0301',
    '%',
    '%00',
    "'; DROP TABLE turn;--",
  ],
  ...[
    'x'.repeat(300),
    '𝕏'.repeat(256),
    '__proto__',
    'constructor',
    'true',
    '-1',
    '1e999',
    '*',
    '{}',
    'text/plain',
    'pending',
  ],
  ...['application/pdf', 'AAAA', '2026-01-01T00:00:00Z', 'a@example.com', 'p', 'c', 'correct horse'],
  ...[null, true, 0, -1, 1, 0.5, 2 ** 53, -(2 ** 63), [], {}, [[]], { a: { b: null } }],
);
const value = fc.oneof({ weight: 4, arbitrary: nasty }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
const text = nasty.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
const wellFormed = text.map((each) => each.toWellFormed());

/** Bodies that often have the right fields, so that more than the first check is reached. */
function bodyOf(endpoint: Endpoint): fc.Arbitrary<unknown> {
  const shape = (endpoint.body as { shape?: Record<string, unknown> } | undefined)?.shape;
  if (shape === undefined) return fc.constant(undefined);
  const turn = fc.record({
    ...{ message_id: text, created_at: text, question: text },
    answer: fc.record({ text, state: fc.constantFrom('pending', 'complete', 'lost'), metadata: fc.constant({}) }),
  });
  const fields = Object.keys(shape).map((name) => [
    name,
    name === 'turn' ? turn : name === 'limit' ? fc.oneof(fc.constant(5), value) : fc.oneof(text, value),
  ]);
  const record = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
  return fc.oneof({ weight: 5, arbitrary: record }, { weight: 1, arbitrary: value });
}

function requestOf(endpoint: Endpoint) {
  const names = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => name as string);
  // An empty parameter would make another route.
  const param = wellFormed.map((each) => each || 'p');
  const params = fc.record(Object.fromEntries(names.map((name) => [name, param])));
  const query = fc.dictionary(fc.constantFrom('path', 'limit', 'offset', 'prefix', 'last', 'other'), wellFormed);
  return fc.record({ params, query, body: bodyOf(endpoint) });
}

const servers: [AppName, AppModule, ServiceContract][] = [
  ['auth', AuthServerModule, authContract],
  ['billing', BillingServerModule, billingContract],
  ['filesystem', FilesystemServerModule, filesystemContract],
];

describe.each(servers)('the %s server with any input', (name, module, contract) => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startForTest(name, module);
    if (name === 'filesystem') {
      await server.call('POST', '/projects', { user: 'ada', body: { project_id: 'p', name: 'Known' } });
    }
  });
  afterAll(() => server.close());

  it.each(Object.entries(contract))('answers %s by its contract or reports the fault', async (_, endpoint) => {
    await fc.assert(
      fc.asyncProperty(requestOf(endpoint), async ({ params, query, body }) => {
        const path = endpoint.path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
        const search = new URLSearchParams(query).toString();
        const answer = await server.call(endpoint.method, `${path}?${search}`, { user: 'ada', body });
        expect(answer.status).toBeLessThan(500);
        if (answer.status < 300) endpoint.response.parse(answer.body);
        else expect(answer.body).toMatchObject({ status: answer.status, code: expect.stringMatching(/^[a-z_]+$/) });
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it.each(['{', '"\ud800"', '[1,', '{"a":1}{', '\u0000'])('refuses %j as a body', async (body) => {
    const endpoint = Object.values(contract).find(({ method }) => method === 'POST') as Endpoint;
    const response = await fetch(server.url + endpoint.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-internal-token': server.token, 'x-user-id': 'ada' },
      body,
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
    expect(await response.text()).not.toMatch(/at .*\.(ts|js):\d/);
  });
});
