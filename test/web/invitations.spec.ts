import type { Browser } from 'playwright-core';
import { Caudex } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

describeInBrowser('the sign-in page where accounts are made by invitation', () => {
  let caudex: Caudex;
  let browser: Browser;
  let visit: Visit;

  beforeAll(async () => {
    [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({ CAUDEX__AUTH__OPERATORS: '[operator@example.org]' }),
    ]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });
  afterEach(async () => {
    await visit.end();
  });

  async function restartWith(registration: string): Promise<void> {
    for (const app of ['auth', 'backend'] as const) {
      await caudex.kill(app, 'SIGTERM');
      await caudex.launch(app, { CAUDEX__AUTH__REGISTRATION: registration });
    }
  }

  it('takes the invitation of its address, and offers none where registration is closed', async () => {
    const operator = await caudex.signUp('operator@example.org');
    await restartWith('invited');
    const { token } = await operator.post<{ token: string }>('/v1/api/auth/invitations', {}, 201);

    visit = await Visit.begin(browser, caudex.url);
    const page = await visit.open('/sign-in');
    await page.getByRole('button', { name: 'Invited? Make an account' }).click();
    await page.getByLabel('Invitation').waitFor();

    await visit.open(`/sign-in?invitation=${token}`);
    await page.getByRole('heading', { name: 'Make an account' }).waitFor();
    await page.getByLabel('E-mail address').fill('ivy@example.org');
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('A project holds the documents').waitFor();
    await visit.end();

    await restartWith('closed');
    visit = await Visit.begin(browser, caudex.url);
    const closed = await visit.open('/sign-in');
    await closed.getByRole('button', { name: 'Sign in' }).waitFor();
    // What the backend answers replaces the answer that the device has kept.
    await closed.waitForFunction(() => document.querySelectorAll('form button').length === 1);
  }, 60_000);
});
