import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pptx, shape, xlsx } from '../office-files.js';
import { pdf } from '../sample-files.js';
import { Caudex, type Person, until } from './caudex.js';

interface Stored {
  path: string;
  version: string;
  indexed: string;
  warnings?: { code: string }[];
  attachments?: { path: string; error?: { code: string } }[];
}
interface Hit {
  document: string;
  page?: number;
  title: string;
  text: string;
}

describe('documents of many formats', () => {
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
  const put = async (path: string, body: Uint8Array | string, type?: string) =>
    person.request('PUT', url(path), Buffer.from(body as string), type === undefined ? {} : { 'content-type': type });
  const first = async (query: string) =>
    ((await person.search(project, query)) as unknown as { results: Hit[] }).results[0];
  const octets = 'application/octet-stream';

  it('with pages name the page in results, from vectors and from full text, and in the sources of an answer', async () => {
    expect(
      (await put('trip.pdf', pdf('Otters swim in Oslo.', '', 'Herons stand in Rome.'), 'application/pdf')).status,
    ).toBe(201);
    expect(
      (
        await put(
          'talk.pptx',
          pptx([{ shapes: shape('Intro', 'title') }, { shapes: shape('Badgers dig in Bonn') }]),
          octets,
        )
      ).status,
    ).toBe(201);
    expect(await first('herons')).toMatchObject({ document: 'trip.pdf', page: 3 });
    expect(await first('badgers')).toMatchObject({ document: 'talk.pptx', page: 2 });
    const chat = await person.request(
      'POST',
      '/v1/api/chat',
      JSON.stringify({ project_id: project, message: 'Where do herons stand?' }),
      { 'content-type': 'application/json' },
    );
    const { sources, response } = (await chat.json()) as { sources: Hit[]; response: string };
    expect(sources[0]).toMatchObject({ document: 'trip.pdf', page: 3 });
    expect(response).toContain('trip.pdf, page 3');
    await caudex.kill('chroma');
    const result = await until('full text answers', async () => {
      const hit = await first('herons');
      return hit?.document === 'trip.pdf' ? hit : undefined;
    });
    expect(result).toMatchObject({ page: 3, text: 'Herons stand in Rome.' });
    await caudex.launch('chroma');
  }, 40_000);

  it('such as spreadsheets are found by a row, with its column names', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => [`Supplier ${i}`, `Town ${i}`, i * 3]);
    const file = xlsx([{ name: 'Suppliers', rows: [['Name', 'Seat', 'Orders'], ...rows] }]);
    expect((await put('suppliers.xlsx', file)).status).toBe(201);
    const hit = await until('the sheet is indexed', async () => {
      const found = await first('Supplier 150');
      return found?.document === 'suppliers.xlsx' ? found : undefined;
    });
    expect(hit.text).toContain('| Supplier 150 | Town 150 | 450 |');
    expect(hit.title).toContain('Suppliers › Name | Seat | Orders');
  });

  it.each([
    ['a spreadsheet sent as what it is not', 'a.bin', xlsx([{ name: 'S', rows: [['owl']] }]), 'text/plain', 'owl'],
    ['CSV with the type that Excel registers for it', 'b.csv', 'a,b\n1,2', 'application/vnd.ms-excel', 'a,b\n1,2'],
    ['subtitles by their content', 'captions', 'WEBVTT\n\n00:01.000 --> 00:02.000\nhello', octets, '[00:00:01] hello'],
    [
      'an e-mail by its content',
      'letter',
      'From: a@b.c\nSubject: Hi\nTo: d@e.f\n\nbody',
      octets,
      '# Hi\n\nFrom: a@b.c\nTo: d@e.f\n\nbody',
    ],
    ['a type that nobody knows, by the name', 'c.rtf', '{\\rtf1 hello}', 'application/x-something', 'hello'],
  ])('are told apart by content and name: %s', async (_what, path, body, type, text) => {
    expect((await put(path, body, type)).status).toBe(201);
    expect(await (await person.request('GET', url(path))).text()).toContain(text);
  });

  it('that cannot be read are refused, with the list of supported formats', async () => {
    const old = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.from('PowerPoint Document\0', 'utf16le'),
    ]);
    const answer = await put('old.ppt', old, octets);
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(/vnd\.ms-powerpoint.*EPUB.*XLSX/) });
    const locked = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.from('EncryptedPackage\0', 'utf16le'),
    ]);
    const refused = await put('locked.xlsx', locked, octets);
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('protected by a password') });
  });

  it('that are attached to an e-mail are documents of their own', async () => {
    const inner = [
      'From: c@example.com',
      'Subject: inner',
      'Content-Type: multipart/mixed; boundary=y',
      '',
      '--y',
      'Content-Type: text/plain',
      '',
      'deep',
      '--y',
      'Content-Type: text/markdown',
      'Content-Disposition: attachment; filename="deep.md"',
      '',
      '# Deepest',
      '--y--',
      '',
    ];
    const part = (type: string, name: string, body: string) => [
      '--x',
      `Content-Type: ${type}`,
      `Content-Disposition: attachment; filename="${name}"`,
      '',
      body,
    ];
    const mail = [
      'From: a@example.com',
      'Subject: files',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain',
      '',
      'see below',
      ...part('text/csv', '../../list.csv', 'name,town'),
      ...part('text/csv', 'list.csv', 'other'),
      ...part('application/zip', 'a.zip', 'PK\x03\x04'),
      ...part('application/octet-stream', 'inner.eml', inner.join('\r\n')),
      '--x--',
      '',
    ];
    const answer = await put('mail.eml', mail.join('\r\n'), 'message/rfc822');
    const stored = (await answer.json()) as Stored;
    expect(stored.warnings?.map(({ code }) => code)).toEqual(['attachments_apart']);
    expect(stored.attachments?.map(({ path, error }) => [path, error?.code ?? 'stored'])).toEqual([
      ['mail.eml.attachments/list.csv', 'stored'],
      ['mail.eml.attachments/list (2).csv', 'stored'],
      ['mail.eml.attachments/a.zip', 'unsupported_media_type'],
      ['mail.eml.attachments/inner.eml', 'stored'],
    ]);
    expect(await (await person.request('GET', url('mail.eml.attachments/list.csv'))).text()).toContain('name,town');
    const deepest = url('mail.eml.attachments/inner.eml.attachments/deep.md');
    expect(await (await person.request('GET', deepest)).text()).toContain('# Deepest');
  });

  it('that an earlier release read without their pages get them when they are read again', async () => {
    const own = await person.project();
    const path = `/v1/api/projects/${own}/documents/old.pdf`;
    await person.request('PUT', path, new Uint8Array(pdf('Moles dig.', 'Wrens sing.')), {
      'content-type': 'application/pdf',
    });
    await Promise.all([caudex.kill('filesystem'), caudex.kill('chroma')]);
    for (const file of ['filesystem/metadata.sqlite', 'chroma/index.sqlite']) {
      const db = new DatabaseSync(join(caudex.dataDir, file));
      db.exec('UPDATE lexical_passages SET page = NULL');
      if (file.startsWith('filesystem')) db.exec('UPDATE document SET pages = NULL, original_type = NULL');
      db.close();
    }
    await Promise.all([caudex.launch('filesystem'), caudex.launch('chroma')]);
    const hit = async () => ((await person.search(own, 'wrens')) as unknown as { results: Hit[] }).results[0];
    const old = await until('search is back', hit);
    expect(old).not.toHaveProperty('page');
    const answer = await person.request(
      'POST',
      `/v1/api/projects/${own}/extract`,
      JSON.stringify({ path: 'old.pdf' }),
      { 'content-type': 'application/json' },
    );
    expect(answer.status).toBe(200);
    const found = await until('the page is known', async () => {
      const result = await hit();
      return result?.page === undefined ? undefined : result;
    });
    expect(found).toMatchObject({ document: 'old.pdf', page: 2 });
    const { version } = (await answer.json()) as Stored;
    await until('the history has the version', async () => {
      const history = await person.request('GET', `/v1/api/projects/${own}/history?path=old.pdf`);
      const { versions } = (await history.json()) as { versions: { version: string }[] };
      return versions.some((known) => known.version === version);
    });
  }, 40_000);

  it('are read again on request, under their version where nothing differs', async () => {
    const { version } = (await (await put('again.pdf', pdf('Same text.'), 'application/pdf')).json()) as Stored;
    const extract = (path: string) =>
      person.request('POST', `/v1/api/projects/${project}/extract`, JSON.stringify({ path }), {
        'content-type': 'application/json',
      });
    const answer = await extract('again.pdf');
    expect(answer.status).toBe(200);
    expect((await answer.json()) as Stored).toMatchObject({ path: 'again.pdf', version, indexed: 'done' });
    await put('note.md', '# Note', 'text/markdown');
    const refused = await extract('note.md');
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, 'no_original']);
    expect((await extract('nowhere.pdf')).status).toBe(404);
  });
});
