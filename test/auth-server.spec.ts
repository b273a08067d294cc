import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { AuthServerModule } from '../src/downstream/auth/server/auth-server.module.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

const password = 'correct horse';

describe('the auth server', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startForTest('auth', AuthServerModule, { CAUDEX__AUTH__OPERATORS: '[Root@Example.com]' });
  });
  afterAll(() => server.close());

  const post = (path: string, body: object) => server.call('POST', path, { body });
  const register = async (email = `${randomUUID()}@example.com`) => {
    expect(await post('/accounts', { email, password })).toMatchObject({ status: 201 });
    return email;
  };
  const login = async (email: string) => {
    const { body } = await post('/sessions', { email, password });
    return body as { token: string; expires_at: string; user: { user_id: string } };
  };
  const verify = async (token: string) => (await post('/sessions/verify', { token })).body;

  it('registers, signs in, verifies and revokes', async () => {
    const email = await register();
    const { token, expires_at, user } = await login(email);
    expect(user).toEqual({ user_id: expect.any(String), email, operator: false });
    expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 86_000_000);
    expect(await verify(token)).toEqual({ active: true, user, expires_at, signed_in_at: expect.any(String) });
    expect(await post('/sessions/revoke', { token })).toEqual({ status: 200, body: { revoked: true } });
    expect(await post('/sessions/revoke', { token })).toEqual({ status: 200, body: { revoked: true } });
    expect(await verify(token)).toEqual({ active: false, reason: 'revoked' });
  });

  it('confirms the owner of an account by a recent sign-in or the password, and closes the account', async () => {
    const email = await register();
    const { token, user } = await login(email);
    const confirm = (body: object) => post('/sessions/confirm', { token, ...body });
    expect(await confirm({})).toEqual({ status: 200, body: { confirmed: true } });
    expect(await confirm({ password })).toMatchObject({ status: 200 });
    expect(await confirm({ password: 'a wrong one' })).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
    expect(await confirm({ token: 'none' })).toMatchObject({ status: 401, body: { code: 'token_invalid' } });
    const close = () => server.call('DELETE', `/account?ended_at=${new Date().toISOString()}`, { user: user.user_id });
    expect(await close()).toMatchObject({ status: 200, body: { closed: true } });
    expect(await close()).toMatchObject({ status: 200 });
    expect(await verify(token)).toEqual({ active: false, reason: 'unknown' });
    expect(await post('/sessions', { email, password })).toMatchObject({ status: 401 });
    expect(await post('/accounts', { email, password })).toMatchObject({ status: 201 });
  });

  it('recognises an address in any spelling, and its operators by it', async () => {
    expect(await post('/accounts', { email: ' ROOT@example.com ', password })).toMatchObject({
      status: 201,
      body: { user: { email: 'root@example.com', operator: true } },
    });
    expect((await login('root@EXAMPLE.com')).user).toMatchObject({ operator: true });
    expect(await post('/accounts', { email: 'root@example.com', password })).toMatchObject({
      status: 409,
      body: { code: 'email_taken' },
    });
  });

  it('creates one account for many concurrent registrations', async () => {
    const email = `${randomUUID()}@example.com`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('/accounts', { email, password })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
  });

  it('slows a client that tests which accounts exist', async () => {
    const email = await register();
    const ask = (address: string) => post('/accounts', { email, password, address });
    for (let i = 0; i < 20; i++) expect(await ask('192.0.2.77')).toMatchObject({ status: 409 });
    expect(await ask('192.0.2.77')).toMatchObject({ status: 409 });
    expect(await ask('192.0.2.77')).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect(await ask('192.0.2.78')).toMatchObject({ status: 409 });
  });

  it.each([
    ['no address', 'nobody', password, 'email_invalid'],
    ['a long address', `${'a'.repeat(250)}@example.com`, password, 'email_invalid'],
    ['a short password', 'a@example.com', 'short', 'password_too_short'],
    ['a long password', 'a@example.com', 'x'.repeat(1025), 'password_too_long'],
  ])('refuses %s', async (_, email, password, code) => {
    expect(await post('/accounts', { email, password })).toMatchObject({ status: 422, body: { code } });
  });

  it('gives one answer for a wrong password and an unknown account', async () => {
    const email = await register();
    const answers = await Promise.all([
      post('/sessions', { email, password: 'wrong' }),
      post('/sessions', { email: 'unknown@example.com', password }),
      post('/sessions', { email: 'not an address', password: 'x'.repeat(2000) }),
    ]);
    for (const { status, body } of answers) {
      expect({ status, ...body, request_id: '' }).toEqual({
        ...{ status: 401, code: 'invalid_credentials', type: 'about:blank', title: 'Unauthorized', request_id: '' },
        detail: 'The address and the password do not go together.',
      });
    }
  });

  it('slows guesses down, also concurrent ones, and reports the wait', async () => {
    const email = await register();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => post('/sessions', { email, password: 'wrong' })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(6);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused).toMatchObject({ body: { code: 'too_many_attempts', retry_after: 1 } });
    expect(await post('/sessions', { email, password })).toMatchObject({ status: 429 });
    const other = await register();
    expect(await post('/sessions', { email: other, password })).toMatchObject({ status: 200 });
  });

  it('reports why a token is invalid', async () => {
    const { token } = await login(await register());
    const [head, payload, signature] = token.split('.') as [string, string, string];
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(payload)), sub: 'root' })).toString('base64url');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    const hmac = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32));
    const foreign = `${Buffer.from('{"alg":"EdDSA","kid":"other"}').toString('base64url')}.${payload}.${signature}`;
    expect(await verify('')).toEqual({ active: false, reason: 'malformed' });
    expect(await verify('a.b.c')).toEqual({ active: false, reason: 'malformed' });
    expect(await verify(`${head}.${forged}.${signature}`)).toEqual({ active: false, reason: 'malformed' });
    expect(await verify(none)).toEqual({ active: false, reason: 'malformed' });
    expect(await verify(hmac)).toEqual({ active: false, reason: 'malformed' });
    expect(await verify(foreign)).toEqual({ active: false, reason: 'unknown' });
    expect(await post('/sessions/revoke', { token: 'a.b.c' })).toEqual({ status: 200, body: { revoked: false } });
  });

  it('stores its keys readable by its own user only', () => {
    const keys = join(server.dataDir, 'auth', 'keys');
    const files = readdirSync(keys);
    expect(files).toHaveLength(1);
    expect(statSync(join(keys, files[0] as string)).mode & 0o777).toBe(0o600);
  });
});

describe('the auth server, started again', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'caudex-auth-'));
  const start = (settings: Record<string, string> = {}) =>
    startForTest('auth', AuthServerModule, { DATA_DIR: dataDir, ...settings });
  const demo = { email: 'demo@caudex.local', password: 'caudex-demo' };
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('keeps sessions and revocations, and the demo account only where it is configured', async () => {
    const first = await start({ CAUDEX__AUTH__DEMO_ACCOUNT: 'true' });
    const session = (await first.call('POST', '/sessions', { body: demo })).body as { token: string };
    const revoked = (await first.call('POST', '/sessions', { body: demo })).body as { token: string };
    await first.call('POST', '/sessions/revoke', { body: { token: revoked.token } });
    await first.close();

    const second = await start({ CAUDEX__AUTH__DEMO_ACCOUNT: 'true' });
    const verify = async (server: ServerUnderTest, token: string) =>
      (await server.call('POST', '/sessions/verify', { body: { token } })).body;
    expect(await verify(second, session.token)).toMatchObject({ active: true, user: { email: demo.email } });
    expect(await verify(second, revoked.token)).toEqual({ active: false, reason: 'revoked' });
    await second.close();

    const third = await start();
    expect(await verify(third, session.token)).toEqual({ active: false, reason: 'unknown' });
    expect(await third.call('POST', '/sessions', { body: demo })).toMatchObject({ status: 401 });
    await third.close();
  });
});
