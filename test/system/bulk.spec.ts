import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { Header } from 'tar';
import { docx, paragraph } from '../sample-files.js';
import { Caudex, type Person } from './caudex.js';

type Item = { path: string; version?: string; error?: { code: string; detail: string } };
interface Stored {
  documents: Item[];
  stored: number;
  failed: number;
}

describe('many documents in one call', () => {
  let caudex: Caudex;
  let person: Person;
  beforeAll(async () => {
    caudex = await Caudex.start({ CAUDEX__DOCUMENTS__ARCHIVE__MAX_FILES: '20' });
    person = await caudex.signUp();
  }, 60_000);
  afterAll(() => caudex.stop());

  const archive = () =>
    Buffer.from(
      zipSync({
        'notes/plan.md': strToU8('# Plan\n\nBuy a boat.'),
        'notes/': new Uint8Array(),
        '../escape.md': strToU8('x'),
        'letter.docx': docx(paragraph('Otters swim.')),
        'broken.pdf': strToU8('no pdf'),
        'picture.png': new Uint8Array([137, 80, 78, 71, 255, 0, 254]),
        'page.html': strToU8('<h1>Moles</h1><p>A mole digs.</p>'),
      }),
    );
  const send = (project: string, body: FormData | Uint8Array<ArrayBuffer> | string, headers = {}) =>
    person.request('POST', `/v1/api/projects/${project}/documents`, body, headers);
  const zipped = { 'content-type': 'application/zip' };

  it('are stored from a zip archive, independently of each other', async () => {
    const project = await person.project();
    const answer = await send(project, archive(), zipped);
    expect(answer.status).toBe(200);
    const { documents, stored, failed } = (await answer.json()) as Stored;
    expect({ stored, failed }).toEqual({ stored: 3, failed: 3 });
    expect(documents.map(({ path, error }) => [path, error?.code ?? 'stored'])).toEqual([
      ['notes/plan.md', 'stored'],
      ['../escape.md', 'invalid_path'],
      ['letter.docx', 'stored'],
      ['broken.pdf', 'unreadable_document'],
      ['picture.png', 'unreadable_document'],
      ['page.html', 'stored'],
    ]);
    expect((await person.search(project, 'boat')).results[0]?.document).toBe('notes/plan.md');
    const again = (await (await send(project, archive(), zipped)).json()) as Stored;
    expect(again.documents[0]).toEqual(documents[0]);
  });

  it('are refused in a form that is cut off, wherever that is', async () => {
    const project = await person.project();
    const whole =
      '--X\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\nContent-Type: text/markdown\r\n\r\n# A\r\n--X--\r\n';
    for (const length of [1, 5, 40, 104]) {
      const answer = await send(project, whole.slice(0, length), { 'content-type': 'multipart/form-data; boundary=X' });
      expect({ length, status: answer.status }).toEqual({ length, status: 400 });
      expect(((await answer.json()) as { code: string }).code).toBe('invalid_multipart');
      const single = await person.request('PUT', `/v1/api/projects/${project}/documents/a.md`, whole.slice(0, length), {
        'content-type': 'multipart/form-data; boundary=X',
      });
      expect({ length, status: single.status }).toEqual({ length, status: 400 });
    }
  });

  it('are stored from a tar archive, with and without gzip, and as a part of a form', async () => {
    const header = Buffer.alloc(512);
    new Header({ path: './notes/otter.md', size: 13, type: 'File', mode: 0o644, mtime: new Date(0) }).encode(header, 0);
    const tar = Buffer.concat([header, Buffer.from('# Otters swim'), Buffer.alloc(499 + 1024)]);
    for (const [bytes, type] of [
      [tar, 'application/x-tar'],
      [gzipSync(tar), 'application/gzip'],
    ] as const) {
      const answer = await send(await person.project(), new Uint8Array(bytes), { 'content-type': type });
      expect(((await answer.json()) as Stored).documents).toMatchObject([
        { path: 'notes/otter.md', version: expect.any(String) },
      ]);
    }
    const form = new FormData();
    form.append('file', new Blob([gzipSync(tar)], { type: 'application/octet-stream' }), 'notes.tgz');
    expect((await (await send(await person.project(), form)).json()) as Stored).toMatchObject({ stored: 1, failed: 0 });
    const single = await person.request(
      'PUT',
      `/v1/api/projects/${await person.project()}/documents/a.tar`,
      new Uint8Array(tar),
      { 'content-type': 'application/x-tar' },
    );
    expect([single.status, ((await single.json()) as { detail: string }).detail]).toEqual([
      415,
      expect.stringContaining('POST …/documents'),
    ]);
  });

  it('never replace one another: of two with one path the second fails and names the first', async () => {
    const project = await person.project();
    const bytes = zipSync({ 'a.md': strToU8('the first'), 'b.md': strToU8('the second'), '.git/HEAD': strToU8('x') });
    const twice = Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('b.md', 'a.md'), 'latin1');
    const answer = (await (await send(project, twice, zipped)).json()) as Stored;
    expect(answer).toMatchObject({ stored: 1, failed: 1, skipped: [{ path: '.git/', entries: 1 }] });
    expect(answer.documents[1]?.error).toEqual({
      code: 'duplicate_path',
      detail: expect.stringMatching(/file 2 .* same path as file 1, "a\.md"/),
    });
    const text = await (await person.request('GET', `/v1/api/projects/${project}/documents/a.md`)).text();
    expect(text).toBe('the first');
  });

  it('report their progress as an event stream', async () => {
    const project = await person.project();
    const answer = await send(project, archive(), { ...zipped, accept: 'text/event-stream' });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const events = (await answer.text())
      .split('\n\n')
      .filter((block) => block.startsWith('id:'))
      .map((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as Record<string, unknown>);
    expect(events).toHaveLength(7);
    expect(events.slice(0, 6).map(({ done, total }) => [done, total])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, 6]));
    expect(events[6]).toEqual({ stored: 3, failed: 3, skipped: [] });
  });

  it('are accepted as the parts of a form, with their folders', async () => {
    const project = await person.project();
    const form = new FormData();
    form.append('files', new Blob(['# One'], { type: 'text/markdown' }), 'folder/one.md');
    form.append('files', new Blob(['two']), 'two.txt');
    form.append('files', new Blob([new Uint8Array(zipSync({ 'three.md': strToU8('three') }))]), 'more.zip');
    const { documents } = (await (await send(project, form)).json()) as Stored;
    expect(documents.map(({ path, error }) => error ?? path)).toEqual(['folder/one.md', 'two.txt', 'three.md']);
  });

  it.each([
    ['no archive', 'just text, and quite a lot of it', zipped, 400, 'invalid_archive'],
    ['text', 'just text', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['JSON', '{}', { 'content-type': 'application/json' }, 415, 'unsupported_media_type'],
  ])('are refused as %s', async (_what, body, headers, status, code) => {
    const answer = await send(await person.project(), body, headers);
    expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({ status, code });
  });

  it('are refused where they are too many, or for another user’s project', async () => {
    const many = Buffer.from(
      zipSync(Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`${i}.md`, strToU8('x')]))),
    );
    const answer = await send(await person.project(), many, zipped);
    expect({ status: answer.status, ...((await answer.json()) as object) }).toMatchObject({
      ...{ status: 413, code: 'archive_too_large' },
    });
    const other = await (await caudex.signUp()).project();
    expect((await send(other, archive(), zipped)).status).toBe(404);
  });
});
