import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { freePort } from '../free-port.js';
import { Caudex, Person } from '../system/caudex.js';
import { describeInBrowser, launchBrowser, Visit } from '../web/browser.js';

/** A folder with the package `oidc-provider`; `.ci/identity` makes one. */
const FOLDER = process.env['OIDC_TEST_PROVIDER'];
const describeWithBoth: typeof describeInBrowser =
  FOLDER === undefined ? (title, tests) => describe.skip(title, tests) : describeInBrowser;
if (FOLDER === undefined) console.info('OIDC_TEST_PROVIDER is not set: the sign-in of the page at one is not tested');

describeWithBoth('the page with a real OpenID Connect provider', () => {
  let caudex: Caudex;
  let provider: ChildProcess;
  let browser: Browser;
  let visit: Visit;
  let issuer: string;

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${port}`;
    [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({
        CAUDEX__AUTH__PROVIDER: 'oidc',
        OIDC_ISSUER: issuer,
        OIDC_AUDIENCE: 'caudex-page',
        OIDC_CLIENT_ID: 'caudex-page',
      }),
    ]);
    const program = join(import.meta.dirname, 'oidc-issuer.mjs');
    provider = spawn(process.execPath, [program, FOLDER as string, String(port), caudex.url], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(provider.stdout as NodeJS.ReadableStream, 'data');
  }, 60_000);
  beforeEach(async () => {
    visit = await Visit.begin(browser, caudex.url);
  });
  afterEach(() => visit.end());
  afterAll(async () => {
    await browser?.close();
    provider?.kill('SIGKILL');
    await caudex?.stop();
  });

  const sessionCookie = async () => (await visit.context.cookies(caudex.url)).find(({ name }) => name === 'auth_token');

  async function signIn(page: Page, login: string): Promise<void> {
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.locator('input[name=login]').fill(login);
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
  }

  it('signs in there and comes back to the page that was wanted, with a cookie that no script reads', async () => {
    const page = await visit.open('/usage');
    await signIn(page, 'ada');
    await page.waitForURL('**/usage');
    await page.getByText('ada@example.com').waitFor();
    const cookie = await sessionCookie();
    expect(cookie).toMatchObject({ name: 'auth_token', httpOnly: true, sameSite: 'Lax' });
    const keys = await page.evaluate(() => [...Object.values(localStorage), ...Object.values(sessionStorage)].join());
    expect(keys).not.toContain(cookie?.value);
    await page.reload();
    await page.getByText('ada@example.com').waitFor();
    expect(visit.complaints).toEqual([]);
  });

  it('keeps what was typed when the session ends, goes to the provider and back, and sends it', async () => {
    const page = await visit.open('/');
    await signIn(page, 'hedy');
    await page.getByLabel('Name of the project').fill('Mine');
    await page.getByRole('button', { name: 'Make the project' }).click();
    await page.getByRole('link', { name: 'Chat', exact: true }).first().click();
    await page.getByLabel('Your question').waitFor();
    await visit.context.clearCookies({ name: 'auth_token' });
    await visit.ask('What is here?');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    // The provider still knows the person. It asks a client without a secret for consent each time.
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await visit.answer();
    await page.getByRole('article', { name: 'You' }).getByText('What is here?').waitFor();
    expect(visit.complaints).toEqual([]);
  }, 60_000);

  it('asks for the password again after a person has signed out', async () => {
    const page = await visit.open('/usage');
    await signIn(page, 'mary');
    await page.getByText('mary@example.com').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in');
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.locator('input[name=password]').waitFor();
    await page.locator('input[name=login]').fill('rosa');
    await page.locator('input[name=password]').fill('any');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await page.getByText('rosa@example.com').waitFor();
    // Once: the next sign-in may use the session at the provider.
    await visit.context.clearCookies({ name: 'auth_token' });
    await page.goto(`${caudex.url}/sign-in`);
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await page.getByText('rosa@example.com').waitFor();
  });

  it('says when the sign-in was declined, and begins again', async () => {
    const page = await visit.open('/sign-in');
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.getByText('[ Cancel ]').click();
    await page.getByText('The sign-in was declined there.').waitFor();
    await signIn(page, 'grace');
    await page.getByText('grace@example.com').waitFor();
  });

  it.each(['code=stolen&state=made-up', 'code=123456&state=1'])(
    'refuses an answer that it did not ask for: %s',
    async (answer) => {
      const page = await visit.open(`/sign-in?${answer}`);
      await page.getByText('This sign-in was not begun in this tab').waitFor();
      expect(await sessionCookie()).toBeUndefined();
    },
  );

  it('refuses an answer with another state', async () => {
    const page = await visit.open('/sign-in');
    await page.getByRole('button', { name: /^Continue at 127/ }).click();
    await page.locator('input[name=login]').waitFor();
    await page.goto(`${caudex.url}/sign-in?code=stolen&state=made-up&iss=${encodeURIComponent(issuer)}`);
    await page.locator('.form-problem:not(:empty)').waitFor();
    expect(await sessionCookie()).toBeUndefined();
  });

  it('says where people sign in, and lets the page call that host and no other', async () => {
    const stranger = new Person(caudex.url, '');
    const found = await stranger.get('/v1/api/auth/provider');
    expect(found).toEqual({ provider: 'oidc', issuer, client_id: 'caudex-page' });
    const policy = (await fetch(`${caudex.url}/sign-in`)).headers.get('content-security-policy');
    expect(policy).toContain(`connect-src 'self' ${issuer};`);
  });
});
