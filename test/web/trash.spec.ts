import type { Page } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.ts';
import { describeInBrowser, eachOnPage, launchBrowser, Visit } from './browser.ts';

describeInBrowser('deleting documents on the page', () => {
  let person: Person;
  let project: string;
  let visit: Visit;
  eachOnPage((on) => ({ person, project, visit } = on));

  const pathsIn = async (list: 'documents' | 'trash') => {
    const address = `/v1/api/projects/${project}/${list}?limit=1000`;
    const { documents } = await person.get<{ documents: { path: string }[] }>(address);
    return documents.map(({ path }) => path).sort();
  };
  const upload = (...paths: string[]) =>
    Promise.all(paths.map((path) => person.upload(project, path, `# About ${path}`)));
  const removeByMenu = async (page: Page, name: string) => {
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
  };
  const chosenActions = (page: Page) => page.getByRole('group', { name: 'What to do with the chosen ones' });

  it('puts a document into the trash, and brings it back by Undo and from the list of the trash', async () => {
    await upload('pears.md', 'plums.md');
    const page = await visit.open(`/p/${project}/documents`);
    await removeByMenu(page, 'pears.md');
    await page.getByText('“pears.md” is in the trash').waitFor();
    expect(await page.getByRole('link', { name: 'pears.md' }).count()).toBe(0);
    expect(await pathsIn('trash')).toEqual(['pears.md']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'pears.md' }).waitFor();
    expect(await pathsIn('documents')).toEqual(['pears.md', 'plums.md']);

    await page.getByRole('link', { name: 'plums.md' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('“plums.md” is in the trash').waitFor();
    await page.getByRole('link', { name: 'Trash' }).click();
    await page.getByText('removed in 30 days').waitFor();
    await page.getByRole('button', { name: 'Restore plums.md' }).click();
    await page.getByText('“plums.md” is back').waitFor();
    await page.getByText('The trash is empty').waitFor();
    expect(await pathsIn('documents')).toEqual(['pears.md', 'plums.md']);
  });

  it('goes on with a deletion when the page is left at once', async () => {
    await upload('pears.md', 'plums.md');
    const page = await visit.open(`/p/${project}/documents`);
    await removeByMenu(page, 'plums.md');
    await page.goto('about:blank');
    await until('the document is in the trash', async () => (await pathsIn('trash')).join() === 'plums.md');
  });

  it('deletes for good only where a person says so a second time', async () => {
    await upload('pears.md', 'plums.md', 'quinces.md');
    const address = `/v1/api/projects/${project}/documents`;
    for (const path of await pathsIn('documents')) await person.request('DELETE', `${address}/${path}?trash=true`);
    const page = await visit.open(`/p/${project}/documents/trash`);
    await page.getByLabel('Choose pears.md').check();
    await chosenActions(page).getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('dialog', { name: 'Delete 1 document for good?' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await pathsIn('trash')).toHaveLength(3);
    await page.getByLabel('Choose pears.md').check();
    await chosenActions(page).getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('“pears.md” removed for good').waitFor();
    expect(await pathsIn('trash')).toEqual(['plums.md', 'quinces.md']);
    await page.getByRole('button', { name: 'Empty the trash' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
    await page.getByText('2 documents removed for good').waitFor();
    await page.getByText('The trash is empty').waitFor();
    expect(await pathsIn('trash')).toEqual([]);
    expect(await pathsIn('documents')).toEqual([]);
  });

  it('says which path is taken where a document cannot come back', async () => {
    await upload('pears.md');
    await person.request('DELETE', `/v1/api/projects/${project}/documents/pears.md?trash=true`);
    await upload('pears.md');
    const page = await visit.open(`/p/${project}/documents/trash`);
    await page.getByRole('button', { name: 'Restore pears.md' }).click();
    await page.getByText('1 of 1 document could not be restored').waitFor();
    await page.getByText(/there is a document at "pears\.md" already/).waitFor();
    await page.getByRole('button', { name: 'Restore pears.md' }).waitFor();
  });

  it('deletes a whole folder and chosen documents, shows how far it is, and takes all back', async () => {
    const fruit = Array.from({ length: 120 }, (_, index) => `fruit/${index % 2 === 0 ? '' : 'old/'}note-${index}.md`);
    await upload(...fruit, 'fruits.md', 'index.md');
    const page = await visit.open(`/p/${project}/documents`);
    await page.route(/documents\/delete$/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    await removeByMenu(page, 'fruit/');
    await page.getByText('120 documents move to the trash …').waitFor();
    const progress = page.getByRole('progressbar', { name: 'Progress' });
    await until('it shows how far it is', async () => Number(await progress.getAttribute('value')) >= 50);
    await page.getByText('“fruit/” is in the trash: 120 documents').waitFor();
    expect(await pathsIn('documents')).toEqual(['fruits.md', 'index.md']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('120 documents are back').waitFor();
    expect(await pathsIn('documents')).toEqual([...fruit, 'fruits.md', 'index.md'].sort());

    await page.getByLabel('Choose fruits.md').check();
    await page.getByLabel('Choose index.md').check();
    await page.getByText('2 chosen').waitFor();
    await chosenActions(page).getByRole('button', { name: 'Delete' }).click();
    await page.getByText('2 documents are in the trash').waitFor();
    expect(await pathsIn('trash')).toEqual(['fruits.md', 'index.md']);
    expect(await page.getByRole('link', { name: 'fruit/' }).count()).toBe(1);
  }, 90_000);

  it('names each document that could not be deleted and why, tries those again, and stops when told', async () => {
    await upload(...Array.from({ length: 120 }, (_, index) => `note-${String(index).padStart(3, '0')}.md`));
    const page = await visit.open(`/p/${project}/documents`);
    const detail = 'The stored file is damaged. Nothing was changed.';
    const isRefused = (path: string) => path === 'note-003.md' || path === 'note-107.md';
    await page.route(/documents\/delete$/, async (route) => {
      const { paths, trash } = route.request().postDataJSON() as { paths: string[]; trash: boolean };
      const response = await route.fetch({
        postData: JSON.stringify({ trash, paths: paths.filter((path) => !isRefused(path)) }),
      });
      const done = ((await response.json()) as { documents: object[] }).documents.values();
      const documents = paths.map((path) =>
        isRefused(path) ? { path, error: { code: 'document_damaged', detail } } : done.next().value,
      );
      await route.fulfill({ response, json: { documents, done: 0, failed: 0 } });
    });
    await page.getByLabel('Choose all').check();
    await chosenActions(page).getByRole('button', { name: 'Delete' }).click();
    await page.getByText('2 of 120 documents could not be deleted').waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: `note-003.md ${detail}` })
      .waitFor();
    await page.getByRole('link', { name: 'note-107.md' }).waitFor();
    expect(await pathsIn('documents')).toEqual(['note-003.md', 'note-107.md']);
    await page.unroute(/documents\/delete$/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('2 documents are in the trash').waitFor();
    await page.getByText('This folder').or(page.getByText('No documents yet')).waitFor();

    await page.getByRole('link', { name: 'Trash' }).first().click();
    await page
      .getByRole('navigation', { name: 'Sections' })
      .locator('a[aria-current=page]', { hasText: 'Documents' })
      .waitFor();
    await page.route(/documents\/restore$/, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await route.continue();
    });
    await page.getByLabel('Choose all').check();
    await chosenActions(page).getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText(/^\d+ documents are back$/).waitFor();
    const back = (await pathsIn('documents')).length;
    expect(back).toBeGreaterThan(0);
    expect(back).toBeLessThan(120);
    await page.getByText(`${120 - back} documents`, { exact: true }).waitFor();
  }, 90_000);

  it('waits for a backend that is away, and then deletes', async () => {
    await upload('pears.md', 'plums.md');
    const page = await visit.open(`/p/${project}/documents`);
    await page.getByRole('button', { name: 'Actions for pears.md' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    await visit.context.setOffline(true);
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('1 document moves to the trash …').waitFor();
    expect(await pathsIn('trash')).toEqual([]);
    await visit.context.setOffline(false);
    await page.getByText('“pears.md” is in the trash').waitFor();
    expect(await pathsIn('trash')).toEqual(['pears.md']);
  });

  it('keeps the focus in the list when a row is deleted by keyboard', async () => {
    await upload('a.md', 'b.md', 'c.md');
    const page = await visit.open(`/p/${project}/documents`);
    await page.getByRole('button', { name: 'Actions for b.md' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByText('“b.md” is in the trash').waitFor();
    await page.waitForFunction(() => document.activeElement?.textContent?.startsWith('c.md') === true);
  });
});

describeInBrowser('deleting documents where there is no trash', () => {
  it('deletes nothing until a person chooses to delete for good', async () => {
    const [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({ CAUDEX__DOCUMENTS__TRASH_DAYS: '0' }),
    ]);
    try {
      const person = await caudex.signUp();
      const project = await person.project('Garden');
      await person.upload(project, 'pears.md', '# Pears');
      const visit = await Visit.begin(browser, caudex.url, person);
      const page = await visit.open(`/p/${project}/documents/read/pears.md`);
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('This system has no trash, so nothing was deleted.', { exact: false }).waitFor();
      await page.getByRole('link', { name: 'pears.md' }).waitFor();
      await page.getByRole('button', { name: 'Delete for good' }).click();
      await page.getByText('“pears.md” removed for good').waitFor();
      const { total } = await person.get<{ total: number }>(`/v1/api/projects/${project}/documents`);
      expect(total).toBe(0);
      expect(visit.complaints).toEqual([]);
    } finally {
      await browser.close();
      await caudex.stop();
    }
  }, 90_000);
});
