import iconv from 'iconv-lite';
import { docx, paragraph } from '../sample-files.js';
import { Caudex, type Person } from './caudex.js';

interface Stored {
  version: string;
  warnings?: { code: string; count?: number }[];
}
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('the original files of documents', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;
  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    project = await person.project();
  }, 60_000);
  afterAll(() => caudex.stop());

  const url = (path: string) => `/v1/api/projects/${project}/documents/${encodeURIComponent(path)}`;
  const put = (path: string, body: Uint8Array, type: string) =>
    person.request('PUT', url(path), new Uint8Array(body), { 'content-type': type });
  const text = async (path: string) => (await person.request('GET', url(path))).text();
  const original = (path: string) => person.request('GET', `${url(path)}?original=true`);

  it('are returned byte for byte with their type and name', async () => {
    const letter = docx(paragraph('Otters swim.'));
    expect((await put('Größe (1).docx', letter, DOCX)).status).toBe(201);
    const answer = await original('Größe (1).docx');
    expect(answer.headers.get('content-type')).toBe(DOCX);
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="Gr__e (1).docx"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%281%29.docx`,
    );
    expect(Buffer.from(await answer.arrayBuffer()).equals(letter)).toBe(true);
  });

  it('are stored where a text was converted, which the answer and the list report', async () => {
    const bytes = iconv.encode('Die Straße nach Köln ist schön und grün.', 'windows-1252');
    const answer = await put('old.txt', bytes, 'text/plain');
    expect(answer.status).toBe(201);
    expect((await answer.json()) as Stored).toMatchObject({ warnings: [{ code: 'charset_detected' }] });
    expect(await text('old.txt')).toBe('Die Straße nach Köln ist schön und grün.');
    expect(Buffer.from(await (await original('old.txt')).arrayBuffer()).equals(bytes)).toBe(true);
    const list = await person.request('GET', `/v1/api/projects/${project}/documents?prefix=old`);
    const { documents } = (await list.json()) as { documents: Stored[] };
    expect(documents[0]?.warnings).toMatchObject([{ code: 'charset_detected' }]);
  });

  it('are read in the charset of the request', async () => {
    const answer = await put('list.csv', iconv.encode('名称,数量', 'gbk'), 'text/csv; charset=gbk');
    expect((await answer.json()) as Stored).not.toHaveProperty('warnings');
    expect(await text('list.csv')).toBe('名称,数量');
  });

  it('are the text itself where UTF-8 was uploaded', async () => {
    await put('note.md', Buffer.from('# Füße'), 'text/markdown');
    const answer = await original('note.md');
    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await answer.text()).toBe('# Füße');
  });

  it('are refused with 415 where they are not text, whatever their declared type', async () => {
    const program = Buffer.from('7f454c4602010100000000000000000002003e00', 'hex');
    const answer = await put('program.txt', program, 'text/plain');
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      code: 'unsupported_media_type',
      detail: expect.stringContaining('PDF'),
    });
  });

  it('have no earlier versions', async () => {
    const answer = await person.request('GET', `${url('note.md')}?original=true&version=x`);
    expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({
      ...{ status: 400, code: 'invalid_request', detail: expect.stringContaining('original') },
    });
    expect((await original('nowhere.md')).status).toBe(404);
  });
});
