import type { Browser, Page } from 'playwright-core';
import { Caudex } from '../system/caudex.js';
import { describeInBrowser, launchBrowser, Visit } from '../web/browser.js';

/** The address of a real Auth emulator; `.ci/identity` starts one. */
const EMULATOR = process.env['FIREBASE_TEST_EMULATOR'];
const PROJECT = 'caudex-test';
const PASSWORD = 'correct horse battery';
const describeWithBoth: typeof describeInBrowser =
  EMULATOR === undefined ? (title, tests) => describe.skip(title, tests) : describeInBrowser;
if (EMULATOR === undefined) console.info('FIREBASE_TEST_EMULATOR is not set: the page with Firebase is not tested');

describeWithBoth("the page with Firebase's Auth emulator", () => {
  let caudex: Caudex;
  let browser: Browser;
  let visit: Visit;
  let accounts = 0;
  let email: string;

  beforeAll(async () => {
    [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({
        CAUDEX__AUTH__PROVIDER: 'firebase',
        FIREBASE_PROJECT_ID: PROJECT,
        FIREBASE_AUTH_EMULATOR_HOST: EMULATOR as string,
        CAUDEX__AUTH__FIREBASE__RECHECK_MS: '1000',
        // The change of an account is seen within this time.
        CAUDEX__SESSION__FRESH_MS: '1',
      }),
    ]);
  }, 60_000);
  beforeEach(async () => {
    visit = await Visit.begin(browser, caudex.url);
    accounts += 1;
    email = `reader${Date.now()}-${accounts}@example.com`;
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });

  const enter = async (page: Page, password: string, address = email) => {
    await page.getByLabel('E-mail address').fill(address);
    await page.getByLabel('Password').fill(password);
    await page.locator('form .button-primary').click();
  };
  const register = async (page: Page) => {
    await page.getByRole('button', { name: 'No account yet? Make one' }).click();
    await enter(page, PASSWORD);
    await page.getByText(email).waitFor();
  };
  /** A call of Firebase's administration. */
  const administer = async (method: string, body: object): Promise<{ users?: { localId: string }[] }> => {
    const address = `http://${EMULATOR}/identitytoolkit.googleapis.com/v1/projects/${PROJECT}/accounts:${method}`;
    const headers = { authorization: 'Bearer owner', 'content-type': 'application/json' };
    const answer = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { users?: { localId: string }[] };
  };
  const accountId = async () => (await administer('lookup', { email: [email] })).users?.[0]?.localId;

  it('registers a person, signs out, and signs in again with the right password alone', async () => {
    const page = await visit.open('/');
    await register(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in');
    expect((await visit.context.cookies()).find(({ name }) => name === 'auth_token')?.value ?? '').toBe('');
    await enter(page, 'a wrong one');
    await page.getByRole('alert').getByText('This address and password do not belong together.').waitFor();
    await enter(page, PASSWORD);
    await page.getByText(email).waitFor();
    // Firebase's own token is for the backend; the page keeps none.
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(kept).not.toMatch(/eyJ/);
  });

  it('says why an address or a password cannot be registered', async () => {
    const page = await visit.open('/sign-in');
    await register(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'No account yet? Make one' }).click();
    await enter(page, PASSWORD);
    await page.getByRole('alert').getByText('The address has an account already; sign in with it.').waitFor();
    await enter(page, 'short', `new-${email}`);
    await page.getByRole('alert').getByText('at least 8 are needed').waitFor();
  });

  it('keeps what was typed when the session ends, and sends it after the sign-in', async () => {
    const page = await visit.open('/');
    await register(page);
    await page.getByLabel('Name of the project').fill('Mine');
    await page.getByRole('button', { name: 'Make the project' }).click();
    await page.getByRole('link', { name: 'Chat', exact: true }).first().click();
    await page.getByLabel('Your question').fill('What is here?');
    const cookie = (await visit.context.cookies()).find(({ name }) => name === 'auth_token');
    await fetch(`${caudex.url}/v1/api/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cookie?.value}` },
    });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await enter(page, 'a wrong one');
    await page.getByRole('alert').getByText('This address and password do not belong together.').waitFor();
    await enter(page, PASSWORD);
    await visit.answer();
    await page.getByRole('article', { name: 'You' }).getByText('What is here?').waitFor();
  }, 60_000);

  it('says that an account is disabled', async () => {
    const page = await visit.open('/');
    await register(page);
    await administer('update', { localId: await accountId(), disableUser: true });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await enter(page, PASSWORD);
    await page.getByRole('alert').getByText('This account is disabled.').waitFor();
  });
});
