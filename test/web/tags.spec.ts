import { type Person, until } from '../system/caudex.ts';
import { describeInBrowser, eachOnPage, type Visit } from './browser.ts';

describeInBrowser('tags on the page', () => {
  let person: Person;
  let project: string;
  let visit: Visit;
  eachOnPage((on) => ({ person, project, visit } = on));
  beforeEach(async () => {
    for (const name of ['pears', 'plums', 'quinces']) {
      await person.upload(project, `fruit/${name}.md`, `# About ${name}\n\nThey ripen in autumn.`);
    }
  });

  const tags = async () => {
    const address = `/v1/api/projects/${project}/documents`;
    const { documents } = await person.get<{ documents: { path: string; tags?: string[] }[] }>(address);
    return Object.fromEntries(documents.map(({ path, tags: own = [] }) => [path.slice(6, -3), own]));
  };
  const stored = (wanted: object) =>
    until(
      `the tags are ${JSON.stringify(wanted)}`,
      async () => JSON.stringify(await tags()) === JSON.stringify(wanted),
    );

  it('are set and removed at a document by keyboard, one after the other', async () => {
    const page = await visit.open(`/p/${project}/documents/read/fruit/pears.md`);
    const field = page.getByLabel('Add a tag');
    await field.fill('#Tax, 2026');
    await field.press('Enter');
    await field.fill('garden');
    await field.press('Enter');
    await stored({ pears: ['tax', '2026', 'garden'], plums: [], quinces: [] });
    await page.getByRole('button', { name: 'Remove the tag 2026' }).press('Enter');
    await stored({ pears: ['tax', 'garden'], plums: [], quinces: [] });
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
    await page.reload();
    await page.getByRole('list', { name: 'Tags' }).getByRole('link').first().waitFor();
    expect(await page.getByRole('list', { name: 'Tags' }).getByRole('link').allInnerTexts()).toEqual(['tax', 'garden']);
  });

  it('say why they are refused, and stay as they were', async () => {
    const page = await visit.open(`/p/${project}/documents/read/fruit/pears.md`);
    await page.getByLabel('Add a tag').fill('x'.repeat(101));
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('more than 100 characters').waitFor();
    await page.getByRole('button', { name: /Remove the tag/ }).waitFor({ state: 'detached' });
  });

  it('filter the list and the search, and are given to many documents at once', async () => {
    let page = await visit.open(`/p/${project}/documents?folder=fruit/`);
    await page.getByLabel('Choose fruit/pears.md').check();
    await page.getByLabel('Choose fruit/quinces.md').check();
    await page.getByRole('button', { name: 'Add a tag' }).click();
    await page.getByLabel('Tags', { exact: true }).fill('late');
    await page.keyboard.press('Enter');
    await page.getByText('2 documents tagged').waitFor();
    await stored({ pears: ['late'], plums: [], quinces: ['late'] });

    await page.getByLabel('Tag', { exact: true }).selectOption('late');
    await page.getByRole('link', { name: 'plums' }).waitFor({ state: 'detached' });
    expect(await page.locator('.document-row').count()).toBe(2);
    await page.reload();
    await page.locator('.document-row').first().waitFor();
    expect(await page.locator('.document-row').count()).toBe(2);

    page = await visit.open(`/p/${project}/search?q=autumn`);
    await page.getByText('3 results').waitFor();
    await page.getByLabel('Tag', { exact: true }).selectOption('late');
    await page.getByText('2 results').waitFor();
    expect(await page.getByRole('option', { name: /About plums/ }).count()).toBe(0);
  });
});
