import type { Browser } from 'playwright-core';
import { Caudex, type Person } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

describeInBrowser('the status for operators and for others', () => {
  let caudex: Caudex;
  let browser: Browser;
  let operator: Person;
  let visit: Visit;

  beforeAll(async () => {
    [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({ CAUDEX__AUTH__OPERATORS: '[operator@example.org]' }),
    ]);
    operator = await caudex.signUp('operator@example.org');
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  it('takes a service out with a reason, says what goes on without it, and releases it', async () => {
    visit = await Visit.begin(browser, caudex.url, operator);
    const page = await visit.open('/status');
    await page.getByText('Everything works.').waitFor();
    const card = page.locator('.service', { hasText: 'Chroma Server' });
    await card.getByRole('button', { name: 'Isolate' }).click();
    await page.getByLabel('Reason').fill('Its disk is replaced.');
    await page.getByRole('dialog').getByRole('button', { name: 'Isolate' }).click();
    await card.getByText('Taken out by an operator').waitFor();
    await page.getByText('Search and chat go on by full text', { exact: false }).waitFor();
    expect((await caudex.breaker('chroma')).state).toBe('open');
    await card.getByRole('button', { name: 'Release' }).click();
    await page.getByText('Everything works.').waitFor();
    expect((await caudex.breaker('chroma')).state).not.toBe('open');
  });

  it('shows what waits in the outbox while its service is away', async () => {
    const project = await operator.project('Garden');
    await caudex.kill('billing');
    try {
      await operator.chat(project, 'When do pears ripen?');
      visit = await Visit.begin(browser, caudex.url, operator);
      const page = await visit.open('/status');
      await page.getByRole('heading', { name: 'Outbox' }).waitFor();
      await page
        .getByText(/\d+ × .*/)
        .first()
        .waitFor();
    } finally {
      await caudex.launch('billing');
    }
    await visit.page.getByText('Nothing waits.').waitFor();
  });

  it('offers neither to others, and tells them in a sentence what works', async () => {
    visit = await Visit.begin(browser, caudex.url, await caudex.signUp());
    const page = await visit.open('/status');
    await page.locator('.summary').waitFor();
    expect(await page.getByRole('button', { name: 'Isolate' }).count()).toBe(0);
    expect(await page.getByRole('heading', { name: 'Outbox' }).count()).toBe(0);
  });
});
