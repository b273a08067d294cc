import { APPS, Caudex, Person, until } from './caudex.js';

const TOKEN = 'the-token-that-is-in-force-now-0123456789';
const PREVIOUS = 'the-token-that-was-in-force-before-012345';
const TTL_MS = 4000;

describe('the session', () => {
  let caudex: Caudex;

  beforeAll(async () => {
    caudex = await Caudex.start({
      INTERNAL_SERVICE_TOKEN: TOKEN,
      INTERNAL_SERVICE_TOKEN_PREVIOUS: PREVIOUS,
      CAUDEX__AUTH__TOKEN_TTL_MS: String(TTL_MS),
      CAUDEX__SESSION__FRESH_MS: '100',
    });
  }, 60_000);
  afterAll(() => caudex.stop());

  it('has a cookie that scripts and other sites cannot use, and security headers', async () => {
    const account = { email: 'ada@example.org', password: 'correct horse battery' };
    await new Person(caudex.url, '').post('/v1/api/auth/register', account, 201);
    const answer = await fetch(`${caudex.url}/v1/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(account),
    });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^auth_token=[^;]+;/);
    for (const flag of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/']) expect(cookie.split('; ')).toContain(flag);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    const { token } = (await answer.json()) as { token: string };
    const byCookie = await fetch(`${caudex.url}/v1/api/auth/check`, { headers: { cookie: `auth_token=${token}` } });
    expect(byCookie.status).toBe(200);
  });

  it('keeps a bearer token as the cookie, but no API key, and nothing that came as a cookie', async () => {
    const person = await caudex.signUp();
    const keep = (headers: Record<string, string>) =>
      fetch(`${caudex.url}/v1/api/auth/session`, { method: 'POST', headers });
    const kept = await keep({ authorization: `Bearer ${person.token}` });
    expect(kept.status).toBe(200);
    expect(await kept.json()).toMatchObject({
      user: { email: expect.stringContaining('@') },
      expires_at: expect.any(String),
    });
    const cookie = kept.headers.get('set-cookie') ?? '';
    expect(cookie).toContain(`auth_token=${person.token};`);
    for (const flag of ['HttpOnly', 'SameSite=Lax', 'Secure', 'Path=/']) expect(cookie.split('; ')).toContain(flag);

    const { key } = await person.post<{ key: string }>(
      '/v1/api/keys',
      { name: 'sync', scopes: ['read', 'write'] },
      201,
    );
    const wrong = [{ authorization: `Bearer ${key}` }, { cookie: `auth_token=${person.token}` }, {}];
    const answers = await Promise.all(wrong.map((headers) => keep(headers as Record<string, string>)));
    expect(answers.map(({ status }) => status)).toEqual([403, 401, 401]);
    expect(answers.map(({ headers }) => headers.get('set-cookie'))).toEqual([null, null, null]);
  });

  it('says to anybody that people sign in here, by password', async () => {
    const found = await new Person(caudex.url, '').get('/v1/api/auth/provider');
    expect(found).toEqual({ provider: 'local', issuer: null, client_id: null, registration: 'open' });
  });

  it.each([
    ['with the token in force', TOKEN, 200],
    ['with the one before, while it is rotated', PREVIOUS, 200],
    ['with another one', 'x'.repeat(TOKEN.length), 401],
    ['with the beginning of the right one', TOKEN.slice(0, -1), 401],
    ['without any', undefined, 401],
  ])('lets a server behind the backend be asked %s: %s', async (_how, token, status) => {
    const headers = { 'x-user-id': 'somebody', ...(token === undefined ? {} : { 'x-internal-token': token }) };
    const answer = await fetch(`http://127.0.0.1:${caudex.ports.filesystem}/projects`, { headers });
    expect(answer.status).toBe(status);
    expect((await fetch(`http://127.0.0.1:${caudex.ports.filesystem}/health/live`)).status).toBe(200);
  });

  it('is required behind the backend, where an unauthenticated caller learns nothing', async () => {
    for (const app of APPS.filter((name) => name !== 'backend')) {
      const asked = ['GET /', 'GET /nothing', 'PATCH /query', 'OPTIONS /projects', 'POST /healthy'];
      for (const [method, path] of asked.map((line) => line.split(' ') as [string, string])) {
        const answer = await fetch(caudex.urlOf(app) + path, { method });
        expect({ app, method, path, status: answer.status }).toEqual({ app, method, path, status: 401 });
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }
      expect((await fetch(`${caudex.urlOf(app)}/health/ready`)).status).toBe(200);
    }
  });

  it('stays valid while auth is unavailable, but not with a revoked or expired token', async () => {
    const [staying, leaving] = await Promise.all([caudex.signUp(), caudex.signUp()]);
    const signedInMs = performance.now();
    await staying.get('/v1/api/auth/check');
    await leaving.get('/v1/api/auth/check');
    await leaving.post('/v1/api/auth/logout', {});
    await caudex.kill('auth');
    const check = (person: Person) => person.request('GET', '/v1/api/auth/check');
    expect((await check(staying)).status).toBe(200);
    expect((await check(leaving)).status).toBe(503);
    await until('the token expires', async () => (await check(staying)).status === 503, TTL_MS + 2000);
    expect(performance.now() - signedInMs).toBeGreaterThan(TTL_MS - 1000);
    await caudex.launch('auth');
    await until('auth is back', async () => (await check(staying)).status === 401);
    expect((await check(leaving)).status).toBe(401);
  }, 30_000);
});
