import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { pdfOfContents } from '../sample-files.ts';
import { Caudex, type Person } from '../system/caudex.ts';
import { describeInBrowser, launchBrowser, Visit } from './browser.ts';

/** The first page has a text, the second is empty. */
const PDF = pdfOfContents(
  [
    'BT /F1 12 Tf 72 720 Td (Williams pears ripen in September.) Tj ET',
    '',
    'BT /F1 12 Tf 72 720 Td (Quinces are late and ripen in October.) Tj ET',
  ],
  '',
  '',
);

describeInBrowser('adding documents on the page', () => {
  const root = mkdtempSync(join(tmpdir(), 'caudex-page-'));
  const folder = join(root, 'garden');
  const repository = join(root, 'library');
  let caudex: Caudex;
  let browser: Browser;
  let person: Person;
  let project: string;
  let visit: Visit;

  beforeAll(async () => {
    mkdirSync(join(folder, 'trees'), { recursive: true });
    writeFileSync(join(folder, 'pears.md'), '# Pears');
    writeFileSync(join(folder, 'trees', 'plums.md'), '# Plums');
    writeFileSync(join(folder, '.hidden.md'), '# Hidden');
    mkdirSync(repository);
    writeFileSync(join(repository, 'quinces.md'), '# Quinces');
    const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
    git('init', '-q');
    git('add', '.');
    git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '-qm', 'First');
    [browser, caudex] = await Promise.all([
      launchBrowser(),
      Caudex.start({ CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([root]) }),
    ]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await caudex?.stop();
    rmSync(root, { recursive: true });
  });
  beforeEach(async () => {
    person = await caudex.signUp();
    project = await person.project('Garden');
    visit = await Visit.begin(browser, caudex.url, person);
  });
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.end();
  });

  const paths = async () => {
    const address = `/v1/api/projects/${project}/documents`;
    return (await person.get<{ documents: { path: string }[] }>(address)).documents.map(({ path }) => path);
  };
  /** Drops files and folders like a file manager, which a script in the page cannot do. */
  const drop = async (page: Page, files: string[]) => {
    const session = await visit.context.newCDPSession(page);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data });
    }
  };
  const file = (name: string, buffer: Uint8Array) => ({ name, mimeType: '', buffer: Buffer.from(buffer) });

  it('stores the files of a folder that is dropped, with their folders', async () => {
    const page = await visit.open(`/p/${project}/documents`);
    await page.getByText('No documents yet').waitFor();
    await drop(page, [folder]);
    await page.getByText('2 documents stored').waitFor();
    expect(await paths()).toEqual(['garden/pears.md', 'garden/trees/plums.md']);
    await page.getByRole('link', { name: 'garden/' }).waitFor();
  });

  it('unpacks a zip, and names the file in it that could not be read', async () => {
    const zip = zipSync({
      'trees/plums.md': strToU8('# Plums'),
      'pears.md': strToU8('# Pears'),
      'broken.txt': new Uint8Array([0xc3, 0x28]),
    });
    const page = await visit.open(`/p/${project}/documents`);
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([file('garden.zip', zip)]);
    await page.getByText(/broken\.txt/).waitFor();
    await page.getByText(/these bytes are not UTF-8 text.*Convert the file to UTF-8/).waitFor();
    expect(await paths()).toEqual(['pears.md', 'trees/plums.md']);
  });

  it('imports a repository from its dialog, and says what became of a place that is not allowed', async () => {
    const page = await visit.open(`/p/${project}/documents`);
    await page.getByRole('button', { name: 'More ways to add documents' }).click();
    await page.getByRole('menuitem', { name: 'Import a repository' }).click();
    const source = page.getByLabel('Address or path of the repository');
    await source.fill('/nowhere/else');
    await page.getByRole('button', { name: 'Start the import' }).click();
    await page
      .getByRole('dialog')
      .getByRole('status')
      .getByText(/import/i)
      .waitFor();
    await source.fill(repository);
    await page.getByRole('button', { name: 'Start the import' }).click();
    await page.getByText('Imported 1 document').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'quinces.md' }).waitFor();
  });

  it('says what the text of a PDF lacks and what to do, in the list and above the text, and gives the file back', async () => {
    const page = await visit.open(`/p/${project}/documents`);
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles([file('fruit.pdf', PDF)]);
    await page
      .getByRole('region', { name: 'Uploads' })
      .getByText(/the text follows|take a sharper and straighter picture/)
      .waitFor();
    await page.getByRole('link', { name: '1 warning' }).click();
    await page.getByText('The text differs from the file in one way').click();
    await page.getByText(/pages 2.*(the text follows|take a sharper and straighter picture)/i).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download the original' }).click();
    expect((await download).suggestedFilename()).toBe('fruit.pdf');
    expect(readFileSync(await (await download).path())).toEqual(PDF);
  });

  it('names the page of a PDF in the passages of an answer', async () => {
    const body = new Uint8Array(PDF);
    await fetch(`${caudex.url}/v1/api/projects/${project}/documents/fruit.pdf`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${person.token}`, 'content-type': 'application/pdf' },
      body,
    });
    const page = await visit.open(`/p/${project}/chat`);
    await visit.ask('When do quinces ripen?');
    await visit.answer();
    await page.locator('.source', { hasText: 'page 3' }).first().click();
    const panel = page.locator('.passage');
    await panel.getByText('fruit.pdf, page 3').waitFor();
    await panel.getByText('Page 3 of 3').waitFor();
    // The words of the passage are marked on the page, and the paper above and below them is not.
    const marks = panel.locator('.pdf-page mark');
    await marks.first().waitFor();
    const paper = await panel.locator('.pdf-page canvas').boundingBox();
    const mark = await marks.first().boundingBox();
    if (paper === null || mark === null) throw new Error('the page is not in sight');
    expect((mark.y - paper.y) / paper.height).toBeCloseTo((792 - 720 - 0.9 * 12) / 792, 1);
    expect(mark.height / paper.height).toBeLessThan(0.1);
    // The canvas has dark pixels, so the page was drawn.
    const dark = await panel.locator('.pdf-page canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      return data.some((value, at) => at % 4 === 0 && value < 100);
    });
    expect(dark).toBe(true);
    await panel.getByRole('button', { name: 'Back' }).click();
    await panel.getByText('Page 2 of 3').waitFor();
    await panel.getByRole('button', { name: 'Text', exact: true }).click();
    await panel.locator('.passage-body mark').first().waitFor();
    expect(visit.complaints).toEqual([]);
    const original = panel.getByRole('link', { name: 'Download the original' });
    expect(await original.getAttribute('href')).toBe(`/v1/api/projects/${project}/documents/fruit.pdf?original=true`);
  });
});
