import { type Person, until } from '../system/caudex.ts';
import { describeInBrowser, eachOnPage, type Visit } from './browser.ts';

const file = (name: string, text: string) => ({ name, mimeType: '', buffer: Buffer.from(text) });

describeInBrowser('documents on the page', () => {
  let person: Person;
  let project: string;
  let visit: Visit;
  eachOnPage((on) => ({ person, project, visit } = on));

  const committed = (versions: number) =>
    until('git has the versions', async () => {
      const { total } = await person.get<{ total: number }>(`/v1/api/projects/${project}/history?path=pears.md`);
      return total === versions;
    });

  it('stores fifty files, says of each that fails what to do, and leaves the rest alone', async () => {
    const page = await visit.open(`/p/${project}/documents`);
    const files = Array.from({ length: 50 }, (_, index) => file(`note-${index}.md`, `# Note ${index}`));
    const broken = { ...file('broken.txt', ''), buffer: Buffer.from([0xc3, 0x28]) };
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([...files, broken]);
    await page.getByText('50 stored, 1 failed').waitFor();
    await page.getByText(/these bytes are not UTF-8 text.*Convert the file to UTF-8/).waitFor();
    await page.getByText('50 documents').waitFor();
    await page.getByRole('link', { name: 'note-0.md' }).waitFor();
  });

  it('edits a text, shows what the change did and restores the version before', async () => {
    await person.upload(project, 'pears.md', '# Pears\n\nThey ripen in September.\n');
    await committed(1);
    const page = await visit.open(`/p/${project}/documents/read/pears.md?view=edit`);
    await page.getByLabel('Text of the document').fill('# Pears\n\nThey ripen in October.\n');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.markdown').getByText('They ripen in October.').waitFor();
    await committed(2);
    await page.getByRole('link', { name: 'History' }).click();
    const current = page.locator('.reading-views [aria-current]');
    expect(await current.allInnerTexts()).toEqual(['History']);
    await page.locator('.diff-code-insert', { hasText: 'October' }).waitFor();
    await page.locator('.diff-code-delete', { hasText: 'September' }).waitFor();
    await page
      .getByRole('button', { name: /Save pears.md/ })
      .nth(1)
      .click();
    await page.getByRole('button', { name: 'Restore this version' }).click();
    await page.getByText(/Restored to the version of/).waitFor();
    await page.getByRole('link', { name: 'Read', exact: true }).click();
    await page.locator('.markdown').getByText('They ripen in September.').waitFor();
  });

  it('does not write over a change by somebody else unasked', async () => {
    await person.upload(project, 'pears.md', 'One.');
    const page = await visit.open(`/p/${project}/documents/read/pears.md?view=edit`);
    await page.getByLabel('Text of the document').fill('Mine.');
    await person.upload(project, 'pears.md', 'Theirs.', 200);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The document was changed by someone else while you edited it.').waitFor();
    await page.reload();
    expect(await page.getByLabel('Text of the document').inputValue()).toBe('Mine.');
  });

  const storedPaths = async () => {
    const { documents } = await person.get<{ documents: { path: string }[] }>(
      `/v1/api/projects/${project}/documents?limit=1000`,
    );
    return documents.map(({ path }) => path).join();
  };
  const move = async (name: string, to: string) => {
    const { page } = visit;
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: 'Move or rename' }).click();
    await page.getByLabel('New path').fill(to);
    await page.getByRole('button', { name: 'Move', exact: true }).click();
  };

  it('moves a folder in one operation with the links to it, and takes the move back', async () => {
    await person.upload(project, 'fruit/pears.md', '# Pears\n\nSee [plums](plums.md).');
    await person.upload(project, 'fruit/plums.md', '# Plums');
    await person.upload(project, 'index.md', '# Index\n\n[Pears](fruit/pears.md)');
    const page = await visit.open(`/p/${project}/documents`);
    const moves: unknown[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/move')) moves.push(request.postDataJSON());
    });
    await move('fruit/', 'trees/fruit');
    await page.getByText('“fruit/” moved to “trees/fruit/”').waitFor();
    await page.getByRole('link', { name: 'trees/' }).waitFor();
    expect(await storedPaths()).toBe('index.md,trees/fruit/pears.md,trees/fruit/plums.md');
    const text = async () => (await person.request('GET', `/v1/api/projects/${project}/documents/index.md`)).text();
    expect(await text()).toContain('[Pears](trees/fruit/pears.md)');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'fruit/', exact: true }).waitFor();
    expect(await storedPaths()).toBe('fruit/pears.md,fruit/plums.md,index.md');
    expect(await text()).toContain('[Pears](fruit/pears.md)');
    expect(moves).toHaveLength(2);
  });

  it('takes back a move into a folder that had documents before, and leaves those there', async () => {
    await person.upload(project, 'fruit/pears.md', '# Pears');
    await person.upload(project, 'fruit/plums.md', '# Plums');
    await person.upload(project, 'trees/oaks.md', '# Oaks');
    const page = await visit.open(`/p/${project}/documents`);
    await move('fruit/', 'trees/');
    await page.getByText('“fruit/” moved to “trees/”').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'fruit/', exact: true }).waitFor();
    await until('all are back', async () => (await storedPaths()) === 'fruit/pears.md,fruit/plums.md,trees/oaks.md');
  });

  it('moves chosen documents and folders into a folder, names those that could not be moved, and takes it back', async () => {
    const before = ['archive/plums.md', 'fruit/old/figs.md', 'fruit/pears.md', 'index.md', 'plums.md'];
    for (const path of before) await person.upload(project, path, `# About ${path}`);
    await person.upload(project, 'index.md', '# Index\n\n[Pears](fruit/pears.md)', 200);
    const page = await visit.open(`/p/${project}/documents`);
    for (const name of ['fruit/', 'index.md', 'plums.md'])
      await page.getByLabel(`Choose ${name}`, { exact: true }).check();
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Move 3 entries into a folder' });
    await dialog.getByText('They are there already.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Move', exact: true }).isDisabled()).toBe(true);
    await dialog.getByLabel('Folder').fill('archive');
    await page.keyboard.press('Enter');
    await page.getByText('1 of 4 documents could not be moved').waitFor();
    await page.getByText(/there is a document at "archive\/plums\.md" already/).waitFor();
    expect(await storedPaths()).toBe(
      'archive/fruit/old/figs.md,archive/fruit/pears.md,archive/index.md,archive/plums.md,plums.md',
    );
    const text = async (path: string) =>
      (await person.request('GET', `/v1/api/projects/${project}/documents/${path}`)).text();
    expect(await text('archive/index.md')).toContain('[Pears](fruit/pears.md)');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('3 documents are back in place').waitFor();
    expect(await storedPaths()).toBe(before.join());
    expect(await text('index.md')).toContain('[Pears](fruit/pears.md)');
  });

  it('deletes, takes back and moves 500 chosen documents within seconds', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `note-${String(index).padStart(3, '0')}.md`);
    const form = new FormData();
    for (const name of names) form.append('files', new File([`# ${name}`], name, { type: 'text/markdown' }));
    await person.request('POST', `/v1/api/projects/${project}/documents`, form);
    const page = await visit.open(`/p/${project}/documents`);
    const timed = async (what: string, work: () => Promise<void>) => {
      const startMs = performance.now();
      await work();
      const tookMs = Math.round(performance.now() - startMs);
      if (process.env['CAUDEX_TIMES'] !== undefined) console.log(what, tookMs, 'ms');
      expect(tookMs).toBeLessThan(20_000);
    };
    await page.getByLabel('Choose all').check();
    await timed('delete', async () => {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByText('500 documents are in the trash').waitFor();
    });
    expect(await storedPaths()).toBe('');
    await timed('undo', async () => {
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText('500 documents are back').waitFor();
    });
    await page.getByLabel('Choose all').check();
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Folder').fill('archive/');
    await timed('move', async () => {
      await page.keyboard.press('Enter');
      await page.getByText('500 documents moved to “archive/”').waitFor();
    });
    expect(await storedPaths()).toBe(names.map((name) => `archive/${name}`).join());
  }, 90_000);

  it('says which path is taken, renames a document from its page with unsaved changes, and comes back', async () => {
    await person.upload(project, 'pears.md', '# Pears');
    await person.upload(project, 'plums.md', '# Plums');
    const page = await visit.open(`/p/${project}/documents/read/pears.md?view=edit`);
    await page.getByLabel('Text of the document').fill('# Pears\n\nUnsaved.');
    await page.getByRole('button', { name: 'Move or rename' }).click();
    await page.getByLabel('New path').fill('plums.md');
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByRole('alert').getByText('plums.md').waitFor();
    await page.getByLabel('New path').fill('archive/');
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.waitForURL(/\/read\/archive\/pears\.md\?view=edit$/);
    await page.waitForFunction(
      () => document.querySelector<HTMLTextAreaElement>('.editor-text')?.value.includes('Unsaved.') === true,
    );
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.waitForURL(/\/read\/pears\.md\?view=edit$/);
    await page.waitForFunction(
      () => document.querySelector<HTMLTextAreaElement>('.editor-text')?.value.includes('Unsaved.') === true,
    );
    expect(await storedPaths()).toBe('pears.md,plums.md');
  });

  it('searches from the keyboard alone, and opens a result in place', async () => {
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen in September.');
    await person.upload(project, 'plums.md', '# Plums\n\nPlums ripen in August.');
    const page = await visit.open(`/p/${project}/documents`);
    await page.getByRole('link', { name: 'pears.md' }).waitFor();
    await page.keyboard.press('/');
    await page.getByRole('combobox', { name: 'Search', exact: true }).waitFor();
    await page.keyboard.type('plums ripen');
    await page.getByRole('option', { name: /Plums/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.locator('mark', { hasText: 'Plums ripen in August' }).waitFor();
  });

  it('never runs what a stored text holds', async () => {
    const attack =
      '<script>window.ran = 1</script>\n\n<img src=x onerror="window.ran = 1">\n\n[x](javascript:window.ran=1)';
    await person.upload(project, 'attack.md', `# Attack\n\n${attack}`);
    await person.upload(project, 'attack.svg', `<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = 1"/>`);
    for (const path of ['attack.md', 'attack.svg']) {
      const page = await visit.open(`/p/${project}/documents/read/${path}`);
      await page.getByText('window.ran').first().waitFor();
      expect(await page.evaluate(() => (globalThis as { ran?: number }).ran)).toBeUndefined();
    }
  });

  it('shows formulas without inline styles, and a wrong one as it was written', async () => {
    const formulas = ['\\frac{a}{b}', '\\bad{', '\\pmb{x}', '\\fcolorbox{#f00}{blue}{y}', '\\htmlStyle{color:red}{z}'];
    await person.upload(project, 'maths.md', `# Maths\n\n${formulas.map((one) => `$${one}$`).join('\n\n')}`);
    const page = await visit.open(`/p/${project}/documents/read/maths.md`);
    await page.locator('math mfrac').waitFor();
    await page.getByText('\\bad{', { exact: true }).waitFor();
    expect(await page.locator('math').count()).toBe(4);
    // A style that the policy refused would be a complaint of the browser, which fails the test at its end.
    expect(await page.locator('.markdown [style]').count()).toBe(0);
  });

  it('shows ten thousand documents with only the rows in sight in the page', async () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => ({
      path: `note-${String(index).padStart(5, '0')}.md`,
      version: `v${index}`,
      title: index === 3 ? 'T'.repeat(300) : `Donaudampfschifffahrtsgesellschaftskapitän ${index}`,
      media_type: 'text/markdown',
      bytes: 1000,
      updated_at: '2026-01-01T00:00:00.000Z',
    }));
    const page = visit.page;
    await page.route(/\/documents\?/, async (route) => {
      const query = new URL(route.request().url()).searchParams;
      const offset = Number(query.get('offset') ?? 0);
      const documents = rows.slice(offset, offset + Number(query.get('limit')));
      await route.fulfill({ json: { documents, total: rows.length } });
    });
    await visit.open(`/p/${project}/documents`);
    await page.getByText('10,000 documents').waitFor();
    expect(await page.locator('.document-row').count()).toBeLessThan(60);
    await page.getByLabel('Filter by name').fill('09999');
    await page.getByRole('link', { name: 'note-09999.md' }).waitFor();
  });
});
