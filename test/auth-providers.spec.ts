import { randomUUID } from 'node:crypto';
import { decodeJwt, UnsecuredJWT, SignJWT } from 'jose';
import { AuthServerModule } from '../src/downstream/auth/server/auth-server.module.js';
import { Issuer } from './issuer.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

const PROJECT = 'caudex-test';
const password = 'correct horse';

let issuer: Issuer;
let server: ServerUnderTest;
afterEach(async () => {
  await server.close();
  await issuer.close();
});

const post = (path: string, body: object) => server.call('POST', path, { body });
const verify = async (token: string) => (await post('/sessions/verify', { token })).body;

describe('with Firebase', () => {
  const start = async (settings: Record<string, string> = {}) => {
    issuer = await Issuer.start();
    server = await startForTest('auth', AuthServerModule, {
      CAUDEX__AUTH__PROVIDER: 'firebase',
      FIREBASE_PROJECT_ID: PROJECT,
      FIREBASE_API_KEY: 'web-key',
      CAUDEX__AUTH__FIREBASE__KEYS_URL: `${issuer.url}/keys`,
      CAUDEX__AUTH__FIREBASE__SIGN_IN_URL: `${issuer.url}/v1`,
      CAUDEX__AUTH__FIREBASE__TOKEN_URL: `${issuer.url}/v1/token`,
      ...settings,
    });
  };
  const good = { iss: `https://securetoken.google.com/${PROJECT}`, aud: PROJECT, sub: 'uid-7', email: 'a@example.com' };
  const now = () => Math.floor(Date.now() / 1000);

  it('accepts an ID token of the project and keeps the subject as the user id', async () => {
    await start();
    expect(await verify(await issuer.sign(good))).toEqual({
      active: true,
      user: { user_id: 'uid-7', email: 'a@example.com', operator: false },
      expires_at: expect.stringMatching(/Z$/),
      signed_in_at: expect.stringMatching(/Z$/),
    });
  });

  it.each([
    ['for another project', { aud: 'another' }, 'wrong_audience'],
    ['of another issuer', { iss: 'https://securetoken.google.com/another' }, 'wrong_issuer'],
    ['that has expired', { exp: now() - 60 }, 'expired'],
    ['that was issued in the future', { iat: now() + 600 }, 'malformed'],
    ['with an empty subject', { sub: '' }, 'malformed'],
    ['without a subject', { sub: undefined }, 'malformed'],
    ['without an expiry', { exp: undefined }, 'malformed'],
  ])('refuses a token %s', async (_, claims, reason) => {
    await start();
    const token = await issuer.sign({ ...good, ...claims });
    expect(await verify(token)).toEqual({ active: false, reason });
  });

  it('refuses an unsigned token, one signed by a shared secret and one with another text', async () => {
    await start();
    const unsigned = new UnsecuredJWT({ ...good, iat: now(), exp: now() + 60 }).encode();
    const shared = await new SignJWT({ ...good, iat: now(), exp: now() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(new TextEncoder().encode('a secret that the issuer does not have'));
    const [header, , signature] = (await issuer.sign(good)).split('.');
    const body = Buffer.from(JSON.stringify({ ...good, sub: 'admin', iat: now(), exp: now() + 60 }));
    const changed = `${header}.${body.toString('base64url')}.${signature}`;
    for (const token of [unsigned, shared, changed, 'no token', '']) {
      expect(await verify(token)).toEqual({ active: false, reason: 'malformed' });
    }
  });

  it('answers 424 to a token while no key could be fetched yet', async () => {
    await start();
    issuer.away = true;
    expect(await post('/sessions/verify', { token: await issuer.sign(good) })).toMatchObject({
      status: 424,
      body: { code: 'identity_provider_unavailable' },
    });
  });

  it('signs up and in by password, and out', async () => {
    await start({ CAUDEX__AUTH__OPERATOR_CLAIM: 'roles' });
    const email = `${randomUUID()}@example.com`;
    const { status, body } = await post('/accounts', { email, password });
    expect([status, body]).toEqual([201, { user: { user_id: 'uid-0', email, operator: false } }]);
    expect(await post('/accounts', { email, password })).toMatchObject({ status: 409, body: { code: 'email_taken' } });
    expect(await post('/sessions', { email, password: 'wrong horse' })).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
    issuer.claims = { roles: ['reader', 'operator'] };
    const session = (await post('/sessions', { email, password })).body as { token: string; user: object };
    expect(session.user).toEqual({ user_id: 'uid-0', email, operator: true });
    issuer.away = true;
    expect(await verify(session.token)).toMatchObject({ active: true, user: session.user });
    expect((await post('/sessions', { email, password })).status).toBe(424);
    expect((await post('/sessions/revoke', { token: session.token })).body).toEqual({ revoked: true });
    expect(await verify(session.token)).toEqual({ active: false, reason: 'revoked' });
  });

  it('gives the reason of a refused password, of a disabled account and of an address that is not confirmed', async () => {
    await start({ CAUDEX__AUTH__REQUIRE_VERIFIED_EMAIL: 'true' });
    const email = 'new@example.com';
    expect(await post('/accounts', { email, password: 'password' })).toMatchObject({
      status: 422,
      body: { code: 'password_too_short', detail: expect.stringContaining('Password is in every list') },
    });
    await post('/accounts', { email, password });
    expect(issuer.verificationMails).toHaveLength(1);
    expect(await post('/sessions', { email, password })).toMatchObject({
      status: 403,
      body: { code: 'email_unverified' },
    });
    expect(await verify(await issuer.sign(good))).toEqual({ active: false, reason: 'email_unverified' });
    Object.assign(issuer.accounts.get(email) ?? {}, { verified: true });
    expect((await post('/sessions', { email, password })).status).toBe(200);
    Object.assign(issuer.accounts.get(email) ?? {}, { disabled: true });
    expect(await post('/sessions', { email, password })).toMatchObject({
      status: 403,
      body: { code: 'account_disabled' },
    });
  });

  it('ends sessions and ID tokens of an account that was disabled, and keeps others while Firebase is unavailable', async () => {
    await start({ CAUDEX__AUTH__FIREBASE__RECHECK_MS: '1000' });
    const email = 'left@example.com';
    await post('/accounts', { email, password });
    const { token } = (await post('/sessions', { email, password })).body as { token: string };
    const idToken = await issuer.sign({ ...good, sub: 'uid-0', email });
    for (const each of [token, idToken]) expect(await verify(each)).toMatchObject({ active: true });
    issuer.away = true;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const each of [token, idToken]) expect(await verify(each)).toMatchObject({ active: true });
    issuer.away = false;
    Object.assign(issuer.accounts.get(email) ?? {}, { disabled: true });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const each of [token, idToken]) expect(await verify(each)).toEqual({ active: false, reason: 'revoked' });
    Object.assign(issuer.accounts.get(email) ?? {}, { disabled: false });
    for (const each of [token, idToken]) expect(await verify(each)).toEqual({ active: false, reason: 'revoked' });
  });

  it('does not show the refresh token in a session', async () => {
    await start({ CAUDEX__AUTH__FIREBASE__RECHECK_MS: '1000' });
    await post('/accounts', { email: 'a@example.com', password });
    const { token } = (await post('/sessions', { email: 'a@example.com', password })).body as { token: string };
    // The stand-in's refresh token is the id, which the subject shows anyway: nothing else may contain it.
    expect({ ...decodeJwt(token), sub: '' }).not.toMatchObject({ sealed: expect.stringContaining('uid-0') });
    expect(decodeJwt(token)).toMatchObject({ sealed: expect.stringMatching(/^[\w-]+(\.[\w-]*){4}$/) });
  });

  it('revokes an ID token in any encoding of its signature', async () => {
    await start();
    const token = await issuer.sign(good);
    expect((await post('/sessions/revoke', { token })).body).toEqual({ revoked: true });
    // The last character of 256 bytes in base64url has four unused bits.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const index = last.indexOf(token.at(-1) ?? '');
    const rewritten = token.slice(0, -1) + last.charAt(index ^ 1);
    for (const same of [token, rewritten]) expect(await verify(same)).toMatchObject({ active: false });
    expect(await verify(await issuer.sign({ ...good, jti: 'another' }))).toMatchObject({ active: true });
  });

  it('keeps API keys valid for a user who has been verified once', async () => {
    await start();
    await verify(await issuer.sign(good));
    const body = { name: 'script', scopes: ['read'], project_id: null, expires_at: null };
    const { key } = (await server.call('POST', '/keys', { user: 'uid-7', body })).body as { key: string };
    issuer.away = true;
    expect(await verify(key)).toMatchObject({ active: true, user: { user_id: 'uid-7', email: 'a@example.com' } });
  });

  it('accepts unsigned tokens with an emulator alone, and only of accounts that the emulator knows', async () => {
    issuer = await Issuer.start();
    server = await startForTest('auth', AuthServerModule, {
      CAUDEX__AUTH__PROVIDER: 'firebase',
      FIREBASE_PROJECT_ID: PROJECT,
      FIREBASE_AUTH_EMULATOR_HOST: new URL(issuer.url).host,
      CAUDEX__AUTH__FIREBASE__KEYS_URL: `${issuer.url}/keys`,
    });
    await post('/accounts', { email: 'e@example.com', password });
    const { token } = (await post('/sessions', { email: 'e@example.com', password })).body as { token: string };
    expect(issuer.asked).toContain('/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword');
    expect(await verify(token)).toMatchObject({ active: true });
    const unsigned = (claims: object) => new UnsecuredJWT({ ...good, iat: now(), exp: now() + 60, ...claims }).encode();
    expect(await verify(unsigned({ sub: 'uid-0' }))).toMatchObject({ active: true, user: { user_id: 'uid-0' } });
    for (const [claims, reason] of [
      [{ sub: 'uid-1' }, 'revoked'],
      [{ sub: 'uid-0', aud: 'another' }, 'wrong_audience'],
      [{ sub: 'uid-0', exp: now() - 60 }, 'expired'],
    ] as const) {
      expect(await verify(unsigned(claims))).toEqual({ active: false, reason });
    }
  });
});

describe('with an OIDC issuer', () => {
  const start = async (settings: Record<string, string> = {}) => {
    issuer = await Issuer.start();
    server = await startForTest('auth', AuthServerModule, {
      CAUDEX__AUTH__PROVIDER: 'oidc',
      OIDC_ISSUER: issuer.url,
      OIDC_AUDIENCE: 'caudex',
      ...settings,
    });
  };
  const claims = () => ({ iss: issuer.url, aud: ['caudex', 'account'], sub: 'auth0|7', email: 'b@example.com' });

  it('finds the keys by discovery and the operators by a nested claim', async () => {
    await start({ CAUDEX__AUTH__OPERATOR_CLAIM: 'realm_access.roles', CAUDEX__AUTH__OPERATOR_VALUE: 'caudex-admin' });
    const operator = await verify(await issuer.sign({ ...claims(), realm_access: { roles: ['caudex-admin'] } }));
    const reader = await verify(await issuer.sign({ ...claims(), realm_access: { roles: ['caudex'] } }));
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect(operator).toMatchObject({ active: true, user: { operator: true, email: 'b@example.com' } });
    expect(reader).toMatchObject({ active: true, user: { operator: false } });
    // The subject could not name a folder; its user id can, and is the same each time.
    const { user } = operator as { user: { user_id: string } };
    expect(user.user_id).toMatch(/^sub_[A-Za-z0-9_-]{43}$/);
    expect(reader).toMatchObject({ user: { user_id: user.user_id } });
  });

  it.each([
    ['for another audience', { aud: 'another' }, 'wrong_audience'],
    ['of another issuer', { iss: 'https://another.example.com' }, 'wrong_issuer'],
    ['that has expired', { exp: 1_700_000_000 }, 'expired'],
  ])('refuses a token %s', async (_, other, reason) => {
    await start();
    expect(await verify(await issuer.sign({ ...claims(), ...other }))).toEqual({ active: false, reason });
  });

  it('ends the sessions and keys of a deleted account, and takes a later sign-in', async () => {
    await start({ CAUDEX__AUTH__FRESH_SESSION_MS: '60000' });
    const nowS = Math.floor(Date.now() / 1000);
    const token = await issuer.sign({ ...claims(), sub: 'eva', iat: nowS });
    expect(await verify(token)).toMatchObject({ active: true });
    expect(await post('/sessions/confirm', { token })).toMatchObject({ status: 200 });
    const refreshed = await issuer.sign({ ...claims(), sub: 'eva', iat: nowS, auth_time: nowS - 120 });
    expect(await post('/sessions/confirm', { token: refreshed })).toMatchObject({
      status: 403,
      body: { code: 'sign_in_again' },
    });
    const body = { name: 'k', scopes: ['read'], project_id: null, expires_at: null };
    const { key } = (await server.call('POST', '/keys', { user: 'eva', body })).body as { key: string };
    const ended = new Date(nowS * 1000 + 500).toISOString();
    expect(await server.call('DELETE', `/account?ended_at=${ended}`, { user: 'eva' })).toMatchObject({ status: 200 });
    expect(await verify(token)).toEqual({ active: false, reason: 'revoked' });
    expect(await verify(key)).toMatchObject({ active: false });
    const later = await issuer.sign({ ...claims(), sub: 'eva', iat: nowS + 1 });
    expect(await verify(later)).toMatchObject({ active: true, user: { user_id: 'eva' } });
  });

  it('reports where to sign in', async () => {
    await start();
    for (const path of ['/accounts', '/sessions']) {
      expect(await post(path, { email: 'b@example.com', password })).toMatchObject({
        status: 403,
        body: { code: 'sign_in_elsewhere', detail: expect.stringContaining(issuer.url) },
      });
    }
  });
});
