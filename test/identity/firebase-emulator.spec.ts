import { Caudex, Person, until } from '../system/caudex.js';

/** The address of a real Auth emulator; `.ci/identity` starts one. */
const EMULATOR = process.env['FIREBASE_TEST_EMULATOR'];
const PROJECT = 'caudex-test';
const PASSWORD = 'correct horse';
const RECHECK_MS = 1000;

interface SignedIn {
  idToken: string;
  refreshToken: string;
  localId: string;
}

/** A call of Firebase's client API or, with `admin`, of its administration. */
async function emulator<T = SignedIn>(path: string, body: object, admin = false): Promise<T> {
  const answer = await fetch(`http://${EMULATOR}/${path}?key=any`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(admin && { authorization: 'Bearer owner' }) },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

const toolkit = (method: string, body: object) =>
  emulator(`identitytoolkit.googleapis.com/v1/accounts:${method}`, body);
const update = (localId: string, change: object) =>
  emulator(`identitytoolkit.googleapis.com/v1/projects/${PROJECT}/accounts:update`, { localId, ...change }, true);

const describeWithEmulator = EMULATOR === undefined ? describe.skip : describe;
if (EMULATOR === undefined) console.info('FIREBASE_TEST_EMULATOR is not set: the Firebase emulator is not tested');

describeWithEmulator("the backend with Firebase's Auth emulator", () => {
  let caudex: Caudex;
  beforeAll(async () => {
    caudex = await Caudex.start(
      {
        CAUDEX__AUTH__PROVIDER: 'firebase',
        FIREBASE_PROJECT_ID: PROJECT,
        FIREBASE_AUTH_EMULATOR_HOST: EMULATOR as string,
        CAUDEX__AUTH__FIREBASE__RECHECK_MS: String(RECHECK_MS),
        CAUDEX__SESSION__FRESH_MS: '1',
      },
      { apps: ['auth', 'backend'] },
    );
  });
  afterAll(() => caudex.stop());

  let accounts = 0;
  const address = () => `person${Date.now()}-${accounts++}@example.com`;
  const post = (path: string, body: object) =>
    new Person(caudex.url, '').request('POST', path, JSON.stringify(body), { 'content-type': 'application/json' });
  const check = (token: string) => new Person(caudex.url, token).request('GET', '/v1/api/auth/check');
  const refused = (token: string) => until('the token is refused', async () => (await check(token)).status === 401);

  it('signs up, in and out by password', async () => {
    const email = address();
    expect((await post('/v1/api/auth/register', { email, password: PASSWORD })).status).toBe(201);
    const again = await post('/v1/api/auth/register', { email, password: PASSWORD });
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'email_taken' }]);
    expect((await post('/v1/api/auth/login', { email, password: 'wrong horse' })).status).toBe(401);
    const login = await post('/v1/api/auth/login', { email, password: PASSWORD });
    const { token, user } = (await login.json()) as { token: string; user: { user_id: string } };
    const { localId } = await toolkit('signInWithPassword', { email, password: PASSWORD, returnSecureToken: true });
    expect(user.user_id).toBe(localId);
    expect(await (await check(token)).json()).toMatchObject({ user: { user_id: localId, email } });
    expect((await new Person(caudex.url, token).request('POST', '/v1/api/auth/logout')).status).toBe(200);
    expect((await check(token)).status).toBe(401);
  });

  it("accepts ID tokens of Firebase's clients, before and after a refresh", async () => {
    const email = address();
    const { idToken, refreshToken, localId } = await toolkit('signUp', {
      email,
      password: PASSWORD,
      returnSecureToken: true,
    });
    expect(await (await check(idToken)).json()).toMatchObject({ user: { user_id: localId, email } });
    const refreshed = await emulator<{ id_token: string }>('securetoken.googleapis.com/v1/token', {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    });
    expect(await (await check(refreshed.id_token)).json()).toMatchObject({ user: { user_id: localId } });
  });

  it('ends the sessions and ID tokens of a disabled account and signs it in no more', async () => {
    const email = address();
    await post('/v1/api/auth/register', { email, password: PASSWORD });
    const { token } = (await (await post('/v1/api/auth/login', { email, password: PASSWORD })).json()) as SignedIn & {
      token: string;
    };
    const { idToken, localId } = await toolkit('signInWithPassword', {
      email,
      password: PASSWORD,
      returnSecureToken: true,
    });
    for (const each of [token, idToken]) expect((await check(each)).status).toBe(200);
    await update(localId, { disableUser: true });
    for (const each of [token, idToken]) await refused(each);
    const login = await post('/v1/api/auth/login', { email, password: PASSWORD });
    expect([login.status, await login.json()]).toMatchObject([403, { code: 'account_disabled' }]);
  });

  it('ends ID tokens that were revoked', async () => {
    const email = address();
    const { idToken, localId } = await toolkit('signUp', { email, password: PASSWORD, returnSecureToken: true });
    expect((await check(idToken)).status).toBe(200);
    await update(localId, { validSince: String(Math.floor(Date.now() / 1000) + 5) });
    await refused(idToken);
  });

  it('refuses a token of an account that does not exist', async () => {
    const { idToken } = await toolkit('signUp', { email: address(), password: PASSWORD, returnSecureToken: true });
    const [header, payload = ''] = idToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'nobody', user_id: 'nobody' })).toString('base64url');
    expect((await check(`${header}.${forged}.`)).status).toBe(401);
  });
});
