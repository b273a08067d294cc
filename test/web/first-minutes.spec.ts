import type { Browser } from 'playwright-core';
import { Caudex } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

const MAKING_MS = 60_000;

describeInBrowser('the first minutes on the page', () => {
  let caudex: Caudex;
  let browser: Browser;
  let visit: Visit;

  beforeAll(async () => {
    // Only this environment has the demo account.
    [browser, caudex] = await Promise.all([launchBrowser(), Caudex.start({ NODE_ENV: 'development' })]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });
  beforeEach(async () => {
    visit = await Visit.begin(browser, caudex.url);
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  const signIn = async (email: string, password: string) => {
    await visit.page.getByLabel('E-mail address').fill(email);
    await visit.page.getByLabel('Password').fill(password);
    await visit.page.locator('form .button-primary').click();
  };

  it('lead from a new account to its first document, each with one thing to do', async () => {
    const page = await visit.open('/');
    await page.getByRole('button', { name: 'No account yet? Make one' }).click();
    await signIn(`user${Date.now()}@example.org`, 'correct horse battery');
    await page.getByText('A project holds the documents you want to ask about.').waitFor();
    await page.getByLabel('Name of the project').fill('Garden');
    await page.keyboard.press('Enter');
    await page.getByText('No documents yet').waitFor();
    await page.getByRole('link', { name: 'Chat', exact: true }).click();
    await page.getByText('This project has no documents yet.').waitFor();
    await page.getByRole('link', { name: 'Add documents' }).click();
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([{ name: 'pears.md', mimeType: '', buffer: Buffer.from('# Pears\n\nPears ripen in September.') }]);
    await page.getByText('1 document stored').waitFor();
    await page.getByRole('link', { name: 'Chat', exact: true }).click();
    await page.getByText('What do you want to know?').waitFor();
    await visit.ask('When do pears ripen?');
    expect(await visit.answer()).toContain('September');
  });

  it('show a tour of three questions to the demo account, the last one with the Chroma server killed', async () => {
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await visit.open('/');
    await signIn('demo@caudex.local', 'caudex-demo');
    await page.getByText('Three questions that show what Caudex is for').waitFor({ timeout: MAKING_MS });
    await page.getByRole('button', { name: 'Why is a question written down before it is answered?' }).click();
    await visit.answer(1);
    await page.getByRole('button', { name: 'What happens to a chat while billing is away?' }).click();
    await visit.answer(2);
    await page.getByText('Now kill the Chroma server').waitFor();
    await page.locator('.command').getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("pkill -9 -f 'main.js chroma'");
    await caudex.kill('chroma');
    await page.getByRole('button', { name: 'Which passages are found while the Chroma server is down?' }).click();
    await page.getByText('Answered from full text: the vector index is away.').waitFor();
    await page.getByText('node dist/main.js chroma').waitFor();
  }, 120_000);
});
