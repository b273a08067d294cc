import { drawing } from '../pictures.js';
import { scannedPdf } from '../scanned-pdf.js';
import { pdf } from '../sample-files.js';
import { Caudex, type Person, until } from './caudex.js';

interface Warning {
  code: string;
  detail: string;
  count?: number;
  percent?: number;
  place?: string;
}
interface Stored {
  path: string;
  version: string;
  warnings?: Warning[];
}
const LETTER = { width: 1224, height: 1584 };
const KESTREL = ['The kestrel hovers above the meadow', 'and looks for voles in the long grass.'];
const OTTER = ['An otter swims across the river', 'and carries a trout in its mouth.'];
const scan = (...pages: string[][]) => scannedPdf(pages.map((lines) => drawing(lines, LETTER)));

describe('the recognition of pictures', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    project = await person.project();
  }, 60_000);
  afterAll(() => caudex.stop());

  const url = (path: string, of = project) => `/v1/api/projects/${of}/documents/${path}`;
  const put = async (path: string, body: Uint8Array, type: string, by = person, of = project) => {
    const answer = await by.request('PUT', url(path, of), new Uint8Array(body), { 'content-type': type });
    return { status: answer.status, etag: answer.headers.get('etag'), stored: (await answer.json()) as Stored };
  };
  const record = async (path: string, by = person, of = project) => {
    const list = await by.request('GET', `/v1/api/projects/${of}/documents?prefix=${path}`);
    return ((await list.json()) as { documents: Stored[] }).documents[0] as Stored;
  };
  const recognised = (path: string, by = person, of = project) =>
    until(
      `${path} is recognised`,
      async () => {
        const found = await record(path, by, of);
        return found.warnings?.some(({ code }) => code === 'ocr_pending') === true ? undefined : found;
      },
      60_000,
    );
  const text = async (path: string) => (await person.request('GET', url(path))).text();
  interface Found {
    document: string;
    page?: number;
    source?: string;
  }
  const search = async (query: string) =>
    await person.post<{ results: Found[]; source: string }>('/v1/api/search', { query, project_id: project });

  it('answers to an upload at once, and gives the document its text, passages and history later', async () => {
    const { status, stored, etag } = await put('scan.pdf', await scan(KESTREL, OTTER), 'application/pdf');
    expect(status).toBe(201);
    expect(stored.warnings).toEqual([
      { code: 'ocr_pending', detail: expect.any(String), count: 2, place: 'pages 1-2' },
    ]);
    const index = await person.request('GET', `/v1/api/projects/${project}/index`);
    expect(await index.json()).toMatchObject({ ocr: { documents: 1 } });
    const found = await recognised('scan.pdf');
    expect(found.version).toBe(`${stored.version}.1`);
    expect(found.warnings).toEqual([
      { code: 'ocr_confidence', detail: expect.any(String), count: 2, percent: expect.any(Number) },
    ]);
    expect(found.warnings?.[0]?.percent).toBeGreaterThan(80);
    expect(await text('scan.pdf')).toBe(`${KESTREL.join('\n')}\n\n${OTTER.join('\n')}`);
    await until('it is found by its words', async () => {
      const { results, source } = await search('trout of the otter');
      return source === 'hybrid' && results[0]?.document === 'scan.pdf' && results[0].page === 2;
    });
    const history = await until('its text is in the history', async () => {
      const answer = await person.request('GET', `/v1/api/projects/${project}/history?path=scan.pdf`);
      const { versions } = (await answer.json()) as { versions: { version: string }[] };
      return versions.length === 2 && versions;
    });
    expect(history.map(({ version }) => version)).toEqual([`${stored.version}.1`, stored.version]);
    // The text was taken from the same upload, so a client may replace it by the version that it knows.
    const next = await person.request('PUT', url('scan.pdf'), '# Done', {
      ...{ 'content-type': 'text/markdown', 'if-match': String(etag) },
    });
    expect(next.status).toBe(200);
  }, 90_000);

  it('takes pictures, and changes nothing where the same one is uploaded again', async () => {
    const png = await drawing(OTTER).encode('png');
    const { status, stored } = await put('otter.png', png, 'image/png');
    expect([status, stored.warnings?.map(({ code }) => code)]).toEqual([201, ['ocr_pending']]);
    const found = await recognised('otter.png');
    expect(await text('otter.png')).toBe(OTTER.join('\n'));
    const passage = await until('it is found', async () =>
      (await search('trout')).results.find(({ document }) => document === 'otter.png'),
    );
    expect(passage).not.toHaveProperty('page');
    const again = await put('otter.png', png, 'image/png');
    expect([again.status, again.stored.version]).toEqual([200, found.version]);
    const anew = await person.post<Stored>(`/v1/api/projects/${project}/extract`, { path: 'otter.png' });
    expect(anew.warnings?.map(({ code }) => code)).toEqual(['ocr_pending']);
    await recognised('otter.png');
    expect(await text('otter.png')).toBe(OTTER.join('\n'));
    const original = await person.request('GET', `${url('otter.png')}?original=true`);
    expect(Buffer.from(await original.arrayBuffer()).equals(png)).toBe(true);
  }, 60_000);

  it('names a picture without text, a damaged one, and the pages of a PDF without text', async () => {
    await put('empty.png', await drawing([]).encode('png'), 'image/png');
    const cut = (await drawing(OTTER).encode('jpeg')).subarray(0, 400);
    await put('cut.jpg', cut, 'image/jpeg');
    const text = 'BT /F1 12 Tf 72 720 Td (printed words) Tj ET';
    await put('mixed.pdf', await scannedPdf([text, drawing(OTTER, LETTER), drawing([], LETTER)]), 'application/pdf');
    expect((await recognised('empty.png')).warnings).toMatchObject([{ code: 'no_text', count: 1 }]);
    expect((await recognised('cut.jpg')).warnings).toMatchObject([{ code: 'ocr_failed', count: 1 }]);
    expect((await recognised('mixed.pdf')).warnings).toMatchObject([
      { code: 'ocr_confidence', count: 1 },
      { code: 'no_text', count: 1, place: 'pages 3' },
    ]);
    expect((await put('none.png', Buffer.from('\x89PNG or not', 'latin1'), 'image/png')).status).toBe(422);
  }, 60_000);

  it('continues after its process was killed, and is fair between people', async () => {
    const other = await caudex.signUp();
    const own = await other.project();
    const pages = Array.from({ length: 12 }, () => drawing([...KESTREL, ...OTTER, ...KESTREL, ...OTTER], LETTER));
    await put('long.pdf', await scannedPdf(pages), 'application/pdf');
    await put('short.pdf', await scan(OTTER), 'application/pdf', other, own);
    await caudex.kill('filesystem');
    await caudex.launch('filesystem');
    await recognised('short.pdf', other, own);
    const found = await recognised('long.pdf');
    expect(found.warnings).toMatchObject([{ code: 'ocr_confidence', count: 12 }]);
    await until('it is found', async () =>
      (await search('kestrel')).results.some(({ document }) => document === 'long.pdf'),
    );
  }, 120_000);
});

describe('with the recognition switched off', () => {
  let caudex: Caudex;
  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__FILESYSTEM__OCR__ENABLED: 'false' });
  }, 60_000);
  afterAll(() => caudex.stop());

  it('refuses pictures and scans, and names the pages of a PDF without text', async () => {
    const person = await caudex.signUp();
    const project = await person.project();
    const put = async (path: string, body: Uint8Array, type: string) => {
      const answer = await person.request(
        'PUT',
        `/v1/api/projects/${project}/documents/${path}`,
        new Uint8Array(body),
        {
          'content-type': type,
        },
      );
      return { status: answer.status, body: (await answer.json()) as Stored & { detail?: string } };
    };
    const picture = await put('a.png', await drawing(OTTER).encode('png'), 'image/png');
    expect(picture.status).toBe(415);
    expect(picture.body.detail).toContain('filesystem.ocr.enabled is false');
    expect((await put('scan.pdf', await scan(OTTER), 'application/pdf')).status).toBe(422);
    const mixed = await put('mixed.pdf', pdf('words', ''), 'application/pdf');
    expect(mixed.body.warnings).toMatchObject([{ code: 'pages_without_text', count: 1, place: 'pages 2' }]);
  }, 60_000);
});
