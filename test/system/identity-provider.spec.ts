import { Issuer } from '../issuer.js';
import { Caudex, Person } from './caudex.js';

const PROJECT = 'caudex-test';

describe('the backend with Firebase as identity provider', () => {
  let issuer: Issuer;
  let caudex: Caudex;
  beforeAll(async () => {
    issuer = await Issuer.start();
    caudex = await Caudex.start(
      {
        CAUDEX__AUTH__PROVIDER: 'firebase',
        FIREBASE_PROJECT_ID: PROJECT,
        FIREBASE_API_KEY: 'web-key',
        CAUDEX__AUTH__FIREBASE__KEYS_URL: `${issuer.url}/keys`,
        CAUDEX__AUTH__FIREBASE__SIGN_IN_URL: `${issuer.url}/v1`,
        CAUDEX__AUTH__OPERATOR_CLAIM: 'operator',
      },
      { apps: ['auth', 'backend'] },
    );
  });
  afterAll(async () => {
    await caudex.stop();
    await issuer.close();
  });

  const check = (token: string) => new Person(caudex.url, token).request('GET', '/v1/api/auth/check');
  const idToken = (claims: object) =>
    issuer.sign({
      iss: `https://securetoken.google.com/${PROJECT}`,
      aud: PROJECT,
      sub: 'u1',
      email: 'a@x.org',
      ...claims,
    });

  it('answers 503 and not 401 while the keys cannot be fetched, and the breaker of auth stays closed', async () => {
    issuer.away = true;
    const answer = await check(await idToken({}));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    const login = await new Person(caudex.url, '').request(
      'POST',
      '/v1/api/auth/login',
      JSON.stringify({ email: 'a@x.org', password: 'correct horse' }),
      { 'content-type': 'application/json' },
    );
    expect(login.status).toBe(503);
    expect(await caudex.breaker('auth')).toMatchObject({ state: 'closed', failure_count: 0 });
    issuer.away = false;
  });

  it('registers and signs in by password', async () => {
    const person = await caudex.signUp('someone@example.org');
    expect(await person.get('/v1/api/auth/check')).toMatchObject({ user: { email: 'someone@example.org' } });
  });

  it('accepts an ID token with its operator claim, and reports why another is invalid', async () => {
    // After a failure the keys are not requested again for ten seconds; a sign-in needs none.
    const good = await idToken({ operator: true });
    let answer = await check(good);
    for (const endMs = performance.now() + 30_000; answer.status === 503 && performance.now() < endMs;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      answer = await check(good);
    }
    expect(await answer.json()).toMatchObject({ user: { user_id: 'u1', operator: true } });
    for (const [claims, code] of [
      [{ aud: 'another' }, 'token_wrong_audience'],
      [{ iss: 'https://another.example.com' }, 'token_wrong_issuer'],
      [{ exp: 1_700_000_000 }, 'token_expired'],
    ] as const) {
      const refused = await check(await idToken(claims));
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ code });
    }
  });
});
