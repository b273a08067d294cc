import { BillingServerModule } from '../src/downstream/billing/server/billing-server.module.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

describe('the billing server', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startForTest('billing', BillingServerModule);
  });
  afterAll(() => server.close());

  it('reserves, captures and lists', async () => {
    const user = 'ada';
    const reserved = await server.call('POST', '/reservations', { user, body: { message_id: 'm1', credits: 5 } });
    expect(reserved).toEqual({ status: 200, body: { credits: 1000, reserved: 5 } });
    const captured = await server.call('POST', '/captures', { user, body: { message_id: 'm1', credits: 3 } });
    expect(captured).toEqual({ status: 200, body: { credits: 997, reserved: 0, charged: 3 } });
    expect(await server.call('GET', '/balance', { user })).toEqual({
      status: 200,
      body: { credits: 997, reserved: 0 },
    });
    const usage = await server.call('GET', '/usage?limit=1', { user });
    expect(usage.body).toMatchObject({ total: 2, rows: [{ kind: 'capture', message_id: 'm1', credits: -3 }] });
  });

  it('refuses a reservation with the balance in numbers', async () => {
    const answer = await server.call('POST', '/reservations', {
      user: 'poor',
      body: { message_id: 'm1', credits: 1001 },
    });
    expect(answer).toMatchObject({
      status: 402,
      body: {
        code: 'insufficient_credits',
        detail: '1001 credits are needed and 1000 are free (1000 in the account, 0 of them reserved).',
      },
    });
  });

  it.each([
    ['credits below zero', { message_id: 'm', credits: -1 }, 'body.credits'],
    ['half a credit', { message_id: 'm', credits: 0.5 }, 'body.credits'],
    ['no message', { credits: 1 }, 'body.message_id'],
    ['a field that is not known', { message_id: 'm', credits: 1, free: true }, 'free'],
  ])('refuses %s', async (_, body, place) => {
    const answer = await server.call('POST', '/reservations', { user: 'ada', body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body['detail']).toContain(place);
  });

  it('charges each message once and in full under concurrent calls', async () => {
    const user = 'racer';
    const calls = Array.from({ length: 300 }, (_, i) =>
      i % 3 === 0
        ? server.call('POST', '/captures', { user, body: { message_id: `m${i % 150}`, credits: 40 } })
        : server.call('POST', '/reservations', { user, body: { message_id: `r${i}`, credits: 40 } }),
    );
    const answers = await Promise.all(calls);
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200, 402]));
    const { body: balance } = await server.call('GET', '/balance', { user });
    const { body: usage } = await server.call('GET', '/usage?limit=1000', { user });
    const rows = usage['rows'] as { kind: string; credits: number; message_id: string }[];
    expect(balance['credits']).toBe(rows.reduce((sum, row) => sum + row.credits, 0));
    expect(balance['credits']).toBe(1000 - 50 * 40);
    const captures = rows.filter((row) => row.kind === 'capture');
    expect(new Set(captures.map((row) => row.message_id)).size).toBe(captures.length);
  });

  it('refuses calls without the internal token or a user', async () => {
    expect(await server.call('GET', '/balance', { user: 'ada', token: null })).toMatchObject({ status: 401 });
    expect(await server.call('GET', '/balance', { user: 'ada', token: 'wrong' })).toMatchObject({ status: 401 });
    expect(await server.call('GET', '/balance', {})).toMatchObject({ status: 400, body: { code: 'user_id' } });
    expect(await server.call('GET', '/health/ready', { token: null })).toEqual({ status: 200, body: { status: 'ok' } });
  });
});
