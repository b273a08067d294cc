import type { Caudex, Person } from '../system/caudex.ts';
import { describeInBrowser, eachOnPage, type Visit } from './browser.ts';

describeInBrowser('API keys and filters of search on the page', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  let visit: Visit;
  eachOnPage((on) => ({ caudex, person, project, visit } = on));

  const statusWith = async (key: string, path: string, method = 'GET') =>
    (await fetch(caudex.url + path, { method, headers: { authorization: `Bearer ${key}` } })).status;

  it('makes a key that may do what was chosen, shows it once and its last use, and revokes it', async () => {
    const page = await visit.open('/keys');
    await page.getByText('No keys yet').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Notes sync');
    await page.getByLabel('write').uncheck();
    await page.getByLabel('chat').uncheck();
    await page.getByLabel('Opens').selectOption({ label: 'Garden' });
    await page.getByLabel('Works for').selectOption({ label: '30 days' });
    await page.getByRole('button', { name: 'Make the key' }).click();
    const key = await page.locator('.made-key-text').innerText();
    const row = page.locator('.key', { hasText: 'Notes sync' });
    await row.getByText(/^read · “Garden” only · made .* · until /).waitFor();
    await row.getByText('never used').waitFor();

    expect(await statusWith(key, `/v1/api/projects/${project}/documents`)).toBe(200);
    expect(await statusWith(key, `/v1/api/projects/${project}`, 'DELETE')).toBe(403);
    await page.reload();
    await row.getByText('used this minute').waitFor();
    expect(await page.getByText(key).count()).toBe(0);

    await page.getByRole('button', { name: 'Revoke “Notes sync”' }).click();
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await page.getByText('No keys yet').waitFor();
    expect(await statusWith(key, `/v1/api/projects/${project}/documents`)).toBe(401);
  });

  it('asks for at least one thing that a key may do', async () => {
    const page = await visit.open('/keys');
    await page.getByLabel('Name', { exact: true }).fill('Nothing');
    for (const scope of ['read', 'write', 'chat']) await page.getByLabel(scope).uncheck();
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByText('Choose at least one thing that the key may do.').waitFor();
  });

  it('finds in the documents that meet the filters alone, which are kept in the address', async () => {
    const note = (author: string, tags: string, date: string) =>
      `---\nauthor: ${author}\ntags: [${tags}]\ndate: ${date}\n---\n\n# Pears by ${author}\n\nPears ripen in September.\n`;
    await person.upload(project, 'notes/ada.md', note('Ada', 'fruit', '2026-01-10'));
    await person.upload(project, 'notes/bob.md', note('Bob', 'trees', '2026-03-10'));
    await person.upload(project, 'other/eve.txt', 'Pears ripen in September, says Eve.');
    const page = await visit.open(`/p/${project}/search?q=pears`);
    const found = page.getByRole('option');
    const shows = async (...documents: string[]) => {
      await page.waitForFunction(
        (number) => document.querySelectorAll('[role=option]').length === number,
        documents.length,
      );
      for (const path of documents) await found.filter({ hasText: path }).waitFor();
    };
    await shows('notes/ada.md', 'notes/bob.md', 'other/eve.txt');
    await page.getByRole('button', { name: 'More filters' }).click();
    const apply = async (filters: Record<string, string>) => {
      await page.getByRole('button', { name: 'Clear' }).click();
      await shows('notes/ada.md', 'notes/bob.md', 'other/eve.txt');
      for (const [label, value] of Object.entries(filters)) await page.getByLabel(label, { exact: true }).fill(value);
      await page.getByRole('button', { name: 'Apply' }).click();
    };
    await apply({ Author: 'ada' });
    await shows('notes/ada.md');
    await apply({ Tags: 'trees' });
    await shows('notes/bob.md');
    await apply({ 'File types': 'txt' });
    await shows('other/eve.txt');
    await apply({ Path: 'notes/b*' });
    await shows('notes/bob.md');
    await apply({ From: '2026-01-01', To: '2026-01-10' });
    await shows('notes/ada.md');
    await page.reload();
    await shows('notes/ada.md');
    await page.getByRole('button', { name: 'More filters (2)' }).waitFor();
  });

  it('says which word it corrected, and why a passage was found when that is wanted', async () => {
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September.');
    const page = await visit.open(`/p/${project}/search?q=Septembr&mode=fulltext`);
    await page.getByText(/Showing results for september instead of “Septembr”/i).waitFor();
    expect(await page.getByText(/by words/).count()).toBe(0);
    await page.getByLabel('Say why').check();
    await page.getByText(/number 1 by words · has: /).waitFor();
  });
});
