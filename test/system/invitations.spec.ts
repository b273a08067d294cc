import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Caudex, Person } from './caudex.js';

const PASSWORD = 'correct horse battery';
const OPERATOR = 'op@example.org';
const MAIN = join(import.meta.dirname, '../../dist/main.js');

interface Invitation {
  id: string;
  token: string;
  email: string | null;
  expires_at: string;
  used_at: string | null;
  used_by: string | null;
}
interface Problem {
  code: string;
  detail: string;
}

async function system(registration: string): Promise<Caudex> {
  return Caudex.start(
    { CAUDEX__AUTH__REGISTRATION: registration, CAUDEX__AUTH__OPERATORS: JSON.stringify([OPERATOR]) },
    { apps: ['auth', 'billing', 'filesystem', 'git', 'chroma', 'backend'] },
  );
}

/** The invitation that the command prints. */
function invitedByCommand(caudex: Caudex, email: string): string {
  const said = execFileSync(process.execPath, [MAIN, 'invite', email], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      AUTH_SERVER_URL: caudex.urlOf('auth'),
      DATA_DIR: caudex.dataDir,
    },
    encoding: 'utf8',
  });
  return /cdxinv_[\w-]{43}/.exec(said)?.[0] ?? said;
}

describe('where accounts are made by invitation', () => {
  let caudex: Caudex;
  let stranger: Person;
  let operator: Person;

  const register = (email: string, invitation?: string) =>
    stranger.request(
      'POST',
      '/v1/api/auth/register',
      JSON.stringify({ email, password: PASSWORD, ...(invitation === undefined ? {} : { invitation }) }),
      { 'content-type': 'application/json' },
    );
  const refusal = async (answer: Promise<Response>) => {
    const { status } = await answer;
    return { status, ...((await (await answer).json()) as Problem) };
  };
  const invite = (body: object) => operator.post<Invitation>('/v1/api/auth/invitations', body, 201);

  async function signIn(email: string): Promise<Person> {
    const { token } = await stranger.post<{ token: string }>('/v1/api/auth/login', { email, password: PASSWORD });
    return new Person(caudex.url, token);
  }

  beforeAll(async () => {
    caudex = await system('invited');
    stranger = new Person(caudex.url, '');
    const invitation = invitedByCommand(caudex, OPERATOR);
    expect((await register(OPERATOR, invitation)).status).toBe(201);
    operator = await signIn(OPERATOR);
  }, 120_000);
  afterAll(() => caudex.stop());

  it('a stranger is refused in one way, whether the address has an account or not', async () => {
    const known = await refusal(register(OPERATOR));
    const unknown = await refusal(register('nobody@example.org'));
    expect(known).toMatchObject({ status: 403, code: 'invitation_required' });
    expect({ ...unknown, request_id: '' }).toEqual({ ...known, request_id: '' });
    for (const address of [OPERATOR, 'nobody@example.org', 'no address']) {
      expect(await refusal(register(address, 'cdxinv_wrong'))).toMatchObject({
        status: 403,
        code: 'invitation_invalid',
      });
    }
  });

  it('an invitation makes one account, and is then used', async () => {
    const { token, id, used_at } = await invite({});
    expect(used_at).toBeNull();
    // A refused password does not use it up.
    const short = stranger.request(
      'POST',
      '/v1/api/auth/register',
      JSON.stringify({ email: 'bob@example.org', password: 'short', invitation: token }),
      { 'content-type': 'application/json' },
    );
    expect(await refusal(short)).toMatchObject({ status: 422, code: 'password_too_short' });
    const answers = await Promise.all(['bob@example.org', 'eve@example.org'].map((email) => register(email, token)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(await refusal(register('carl@example.org', token))).toMatchObject({ code: 'invitation_invalid' });
    const { invitations } = await operator.get<{ invitations: Invitation[] }>('/v1/api/auth/invitations');
    const listed = invitations.find((one) => one.id === id);
    expect(listed).toMatchObject({ used_by: expect.any(String), used_at: expect.any(String) });
    expect(JSON.stringify(invitations)).not.toContain(token);
  });

  it('an invitation for an address is for this address alone, in any case', async () => {
    const { token, email } = await invite({ email: 'Dora@Example.org', expires_in_ms: 60_000 });
    expect(email).toBe('dora@example.org');
    expect(await refusal(register('eric@example.org', token))).toMatchObject({
      status: 403,
      code: 'invitation_invalid',
    });
    expect((await register('dora@example.org', token)).status).toBe(201);
  });

  it('a revoked invitation is invalid', async () => {
    const { token, id } = await invite({});
    await operator.delete(`/v1/api/auth/invitations/${id}`);
    expect(await refusal(register('fay@example.org', token))).toMatchObject({ code: 'invitation_invalid' });
    const again = operator.request('DELETE', `/v1/api/auth/invitations/${id}`);
    expect(await refusal(again)).toMatchObject({ status: 404 });
  });

  it('only operators with a session make, list and revoke invitations, and the audit log has it', async () => {
    const { token } = await invite({});
    expect((await register('gus@example.org', token)).status).toBe(201);
    const gus = await signIn('gus@example.org');
    const { key } = await operator.post<{ key: string }>('/v1/api/keys', { name: 'k' }, 201);
    for (const person of [gus, new Person(caudex.url, key), stranger]) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', ''],
        ['DELETE', '/x'],
      ] as const) {
        const { status } = await person.request(
          method,
          `/v1/api/auth/invitations${path}`,
          method === 'POST' ? '{}' : undefined,
          method === 'POST' ? { 'content-type': 'application/json' } : {},
        );
        expect(status).toBe(person === stranger ? 401 : 403);
      }
    }
    const { records } = await operator.get<{ records: { action: string; outcome: string }[] }>('/v1/api/audit');
    expect(records).toContainEqual(expect.objectContaining({ action: 'invitation.create', outcome: 'ok' }));
    expect(records).toContainEqual(
      expect.objectContaining({ action: 'account.register', outcome: 'invitation_required' }),
    );
    expect(JSON.stringify(records)).not.toContain(token);
  });

  it.each([
    [{ email: 'nonsense' }, 'email_invalid'],
    [{ expires_in_ms: 1 }, 'invalid_request'],
    [{ expires_in: 100_000 }, 'invalid_request'],
  ])('refuses to invite by %j', async (body, code) => {
    const answer = operator.request('POST', '/v1/api/auth/invitations', JSON.stringify(body), {
      'content-type': 'application/json',
    });
    expect(await refusal(answer)).toMatchObject({ code });
  });

  it('says on the way to sign in that an invitation is needed', async () => {
    expect(await stranger.get('/v1/api/auth/provider')).toMatchObject({ provider: 'local', registration: 'invited' });
  });

  it('closed, refuses everybody, with an invitation too', async () => {
    const { token } = await invite({});
    for (const app of ['auth', 'backend'] as const) {
      await caudex.kill(app, 'SIGTERM');
      await caudex.launch(app, { CAUDEX__AUTH__REGISTRATION: 'closed' });
    }
    for (const address of [OPERATOR, 'hal@example.org'])
      expect(await refusal(register(address, token))).toMatchObject({ status: 403, code: 'registration_closed' });
    const answer = operator.request('POST', '/v1/api/auth/invitations', '{}', { 'content-type': 'application/json' });
    expect(await refusal(answer)).toMatchObject({ status: 409, code: 'invitations_off' });
    expect(await stranger.get('/v1/api/auth/provider')).toMatchObject({ registration: 'closed' });
  });
});
