import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
import { Caudex, Person, until } from '../system/caudex.js';

/** A folder with the package `oidc-provider`; `.ci/identity` makes one. */
const FOLDER = process.env['OIDC_TEST_PROVIDER'];
const CALLBACK = 'http://127.0.0.1:1/callback';

const describeWithProvider = FOLDER === undefined ? describe.skip : describe;
if (FOLDER === undefined) console.info('OIDC_TEST_PROVIDER is not set: a real OpenID Connect provider is not tested');

describeWithProvider('the backend with a real OpenID Connect provider', () => {
  let caudex: Caudex;
  let provider: ChildProcess;
  let url: string;
  let port: number;

  const startProvider = async () => {
    provider = spawn(process.execPath, [join(import.meta.dirname, 'oidc-issuer.mjs'), FOLDER as string, String(port)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(provider.stdout as NodeJS.ReadableStream, 'data');
  };
  const stopProvider = async () => {
    const ended = once(provider, 'exit');
    provider.kill('SIGKILL');
    await ended;
  };
  beforeAll(async () => {
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    await startProvider();
    caudex = await Caudex.start(
      {
        CAUDEX__AUTH__PROVIDER: 'oidc',
        OIDC_ISSUER: url,
        OIDC_AUDIENCE: 'caudex',
        CAUDEX__AUTH__OPERATOR_CLAIM: 'roles',
        CAUDEX__AUTH__OPERATOR_VALUE: 'boss',
        CAUDEX__AUTH__REQUIRE_VERIFIED_EMAIL: 'true',
      },
      { apps: ['auth', 'backend'] },
    );
  });
  afterAll(async () => {
    await caudex.stop();
    await stopProvider();
  });

  /** The authorization code flow (RFC 6749, 4.1) in the provider's own pages. @returns an ID token */
  async function signIn(login: string): Promise<string> {
    const cookies = new Map<string, string>();
    const step = async (address: string, body?: Record<string, string>): Promise<Response> => {
      const answer = await fetch(address, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
        ...(body && { method: 'POST', body: new URLSearchParams(body) }),
      });
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(name, value);
      }
      const next = answer.headers.get('location');
      if (next === null || next.startsWith(CALLBACK)) return answer;
      return step(new URL(next, url).href);
    };
    const query = new URLSearchParams({
      client_id: 'caudex',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid',
    });
    let page = await step(`${url}/auth?${query}`);
    const forms: Record<string, string>[] = [{ prompt: 'login', login, password: 'any' }, { prompt: 'consent' }];
    for (const form of forms) {
      if (page.headers.has('location')) break;
      const [, action = ''] = /<form[^>]* action="([^"]+)"/.exec(await page.text()) ?? [];
      page = await step(new URL(action, url).href, form);
    }
    const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const answer = await fetch(`${url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('caudex:a%20secret%20of%20the%20client').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: CALLBACK }),
    });
    return ((await answer.json()) as { id_token: string }).id_token;
  }
  const check = (token: string) => new Person(caudex.url, token).request('GET', '/v1/api/auth/check');

  it('accepts its ID tokens, with the operator by a claim', async () => {
    for (const [login, operator] of [
      ['boss', true],
      ['ada', false],
    ] as const) {
      const answer = await check(await signIn(login));
      expect(await answer.json()).toMatchObject({
        user: { user_id: login, email: `${login}@example.com`, operator },
      });
    }
  });

  it('refuses a changed token and ends a token at sign-out', async () => {
    const token = await signIn('ada');
    const [header, payload, signature = ''] = token.split('.');
    const turned = [...signature].reverse().join('');
    expect((await check(`${header}.${payload}.${turned}`)).status).toBe(401);
    expect((await new Person(caudex.url, token).request('POST', '/v1/api/auth/logout')).status).toBe(200);
    expect((await check(token)).status).toBe(401);
  });

  it('accepts tokens while the provider is down, and tokens by a new key after its restart', async () => {
    const token = await signIn('grace');
    expect((await check(token)).status).toBe(200);
    await stopProvider();
    expect((await check(token)).status).toBe(200);
    await startProvider();
    await until('a new token is accepted', async () => (await check(await signIn('grace'))).status === 200, 30_000);
    expect(await caudex.breaker('auth')).toMatchObject({ state: 'closed', failure_count: 0 });
  });
});
