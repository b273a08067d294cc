import { request as httpRequest } from 'node:http';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Caudex, type Person, until } from './caudex.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 1024 * 1024;
const text = `# Pears\n\n${'The pears ripen in September. '.repeat(200)}`;

describe('HTTP features of clients and proxies', () => {
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  let document: string;

  beforeAll(async () => {
    caudex = await Caudex.start();
    ann = await caudex.signUp();
    project = await ann.project();
    document = `/v1/api/projects/${project}/documents/pears.md`;
    await ann.upload(project, 'pears.md', text);
  }, 60_000);
  afterAll(() => caudex.stop());

  const send = (method: string, path: string, body: Buffer, headers: Record<string, string>) =>
    ann.request(method, path, new Uint8Array(body), headers);
  const problem = async (answer: Response) => (await answer.json()) as { code: string; detail: string };

  describe('a compressed request', () => {
    it.each([
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['zstd', zstdCompressSync],
    ])('is read in %s, as JSON and as a document', async (encoding, compress) => {
      const body = Buffer.from(JSON.stringify({ query: 'pears', project_id: project }));
      const headers = { ...JSON_TYPE, 'content-encoding': encoding };
      await until('it is found', async () => {
        const answer = await send('POST', '/v1/api/search', compress(body), headers);
        return ((await answer.json()) as { total: number }).total > 0;
      });
      const path = `/v1/api/projects/${project}/documents/${encoding}.md`;
      const stored = await send('PUT', path, compress(Buffer.from(text)), {
        'content-type': 'text/markdown',
        'content-encoding': encoding,
      });
      expect(stored.status).toBe(201);
      expect(await (await ann.request('GET', path)).text()).toBe(text);
    });

    it('is refused where it is a bomb, in another encoding, or truncated', async () => {
      const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' };
      const bomb = gzipSync(Buffer.concat([Buffer.from('{"query":"'), Buffer.alloc(64 * MIB, 'x'), Buffer.from('"}')]));
      expect(bomb.length).toBeLessThan(MIB);
      expect((await send('POST', '/v1/api/search', bomb, gzip)).status).toBe(413);
      const asDocument = await send('PUT', document, gzipSync(Buffer.alloc(64 * MIB, 'x')), {
        'content-type': 'text/markdown',
        'content-encoding': 'gzip',
      });
      expect(asDocument.status).toBe(413);
      const other = await send('POST', '/v1/api/search', Buffer.from('{}'), {
        ...JSON_TYPE,
        'content-encoding': 'lzma',
      });
      expect([other.status, await problem(other)]).toMatchObject([415, { code: 'unsupported_media_type' }]);
      const cut = await send('POST', '/v1/api/search', gzipSync(Buffer.from('{"query":"x"}')).subarray(0, 20), gzip);
      expect([cut.status, await problem(cut)]).toMatchObject([
        400,
        { code: 'bad_request', detail: 'body: these bytes are not gzip, or are cut off' },
      ]);
      const form = await send('PUT', document, gzipSync(Buffer.from('--x--')), {
        'content-type': 'multipart/form-data; boundary=x',
        'content-encoding': 'gzip',
      });
      expect([form.status, await problem(form)]).toMatchObject([
        415,
        { detail: expect.stringContaining('multipart') as string },
      ]);
    });
  });

  /** Returns the raw body; fetch would decompress it. */
  async function raw(path: string, headers: Record<string, string>) {
    return new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const asked = { authorization: `Bearer ${ann.token}`, ...headers };
      httpRequest(caudex.url + path, { headers: asked }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks) }));
      })
        .on('error', reject)
        .end();
    });
  }

  describe('an answer', () => {
    it('is compressed where the client accepts it, and otherwise plain', async () => {
      const packed = await raw(document, { 'accept-encoding': 'gzip' });
      expect(packed.headers).toMatchObject({
        'content-encoding': 'gzip',
        vary: expect.stringMatching(/accept-encoding/i),
      });
      expect(gunzipSync(packed.body).toString()).toBe(text);
      const plain = await raw(document, {});
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(plain.body.toString()).toBe(text);
    });

    it('is never compressed as an event stream', async () => {
      const path = `/v1/api/chat?${new URLSearchParams({ message: 'pears', project_id: project, stream: 'true' })}`;
      const { headers, body } = await raw(path, { 'accept-encoding': 'gzip, br, zstd' });
      expect(headers['content-encoding']).toBeUndefined();
      expect(body.toString()).toContain('data: [DONE]');
    });
  });

  describe('a part of a document', () => {
    const size = Buffer.byteLength(text);
    it.each([
      ['bytes=0-6', 206, '# Pears', `bytes 0-6/${size}`],
      ['bytes=2-6', 206, 'Pears', `bytes 2-6/${size}`],
      ['bytes=-10', 206, text.slice(-10), `bytes ${size - 10}-${size - 1}/${size}`],
      [`bytes=${size - 3}-`, 206, text.slice(-3), `bytes ${size - 3}-${size - 1}/${size}`],
      ['bytes=0-1,4-5', 200, text, null],
      ['lines=1-2', 200, text, null],
    ])('is given for %s', async (range, status, expected, contentRange) => {
      for (const query of ['', '?original=true']) {
        const answer = await ann.request('GET', document + query, undefined, { range, 'accept-encoding': 'gzip' });
        expect(answer.status).toBe(status);
        expect(answer.headers.get('content-range')).toBe(contentRange);
        expect(answer.headers.get('accept-ranges')).toBe('bytes');
        expect(await answer.text()).toBe(expected);
      }
    });

    it('is refused beyond the end, and the whole file is returned where the document has changed', async () => {
      const answer = await ann.request('GET', document, undefined, { range: 'bytes=999999-' });
      expect(answer.headers.get('content-range')).toBe(`bytes */${size}`);
      expect([answer.status, await problem(answer)]).toMatchObject([416, { code: 'range_not_satisfiable' }]);
      const etag = (await ann.request('GET', document)).headers.get('etag') ?? '';
      const conditional = (condition: string) =>
        ann.request('GET', document, undefined, { range: 'bytes=0-6', 'if-range': condition });
      expect((await conditional(etag)).status).toBe(206);
      expect((await conditional('"another"')).status).toBe(200);
    });
  });

  describe('a document sent as JSON', () => {
    it.each([
      ['note.md', '"# Note\\n\\nA text in quotes."', 415],
      ['note.txt', '{"content":"A text in an object."}', 415],
      ['note', '"A text in quotes."', 415],
      ['note.html', '["<p>x</p>"]', 415],
      ['data.json', '{"pears":["Williams"]}', 201],
      ['text.json', '"one string"', 201],
      ['data.har', '{"log":{}}', 201],
      ['wrongly-typed.md', '# Not JSON at all', 201],
    ])('%s: %s', async (name, body, status) => {
      const answer = await send(
        'PUT',
        `/v1/api/projects/${project}/documents/json/${name}`,
        Buffer.from(body),
        JSON_TYPE,
      );
      expect(answer.status).toBe(status);
      if (status === 415) expect((await problem(answer)).detail).toContain('text/markdown');
      else await answer.text();
    });
  });
});
