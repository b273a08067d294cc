import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { doc, msg, xls } from '../ole-files.js';
import { epub, opendocument, pptx, shape, xlsx } from '../office-files.js';
import { drawing } from '../pictures.js';
import { docx, paragraph, pdf } from '../sample-files.js';
import { scannedPdf } from '../scanned-pdf.js';
import { Person, until } from '../system/caudex.js';

/** The backend of a whole system that runs from the image. */
const URL_ = process.env['CAUDEX_IMAGE_URL'];
/** Where its passages come from: `hybrid`, or `fulltext` where it has no ChromaDB. */
const SOURCE = process.env['CAUDEX_IMAGE_SOURCE'];
/** A folder that the system sees under the same path, with `key.pem` and `cert.pem` of a server that its git trusts. */
const SHARED = process.env['CAUDEX_IMAGE_SHARED'] ?? '';
/** The port of that server. */
const GIT_PORT = Number(process.env['CAUDEX_IMAGE_GIT_PORT']);
if (URL_ === undefined) console.warn('CAUDEX_IMAGE_URL is not set (.ci/image sets it): the image is not tested');

const LINES = ['The kestrel hovers above the meadow', 'and looks for voles in the long grass.'];
const UMLAUTS = ['Die Straße führt über die Brücke', 'nach Köln, wo die Gärten grün sind.'];
const OTTERS = 'Otters swim in Oslo';
const eml = `From: Ada <a@example.com>\nSubject: Otters\nContent-Type: text/plain; charset=iso-8859-1\n\n${OTTERS}\n`;
const attachment = { name: 'list.csv', type: 'text/csv', content: 'a,b' };
const FILES: Record<string, Buffer> = {
  'a.html': Buffer.from(`<h1>Animals</h1><p>${OTTERS}</p>`),
  'a.pdf': pdf(`${OTTERS}.`),
  'a.docx': docx(paragraph(OTTERS)),
  'a.doc': doc(OTTERS),
  'a.odt': opendocument('text', `<text:p>${OTTERS}</text:p>`),
  'a.rtf': Buffer.from(String.raw`{\rtf1\ansi\ansicpg1252 ${OTTERS}\par}`),
  'a.epub': epub('The Book', [`<p>${OTTERS}</p>`]),
  'a.xlsx': xlsx([{ name: 'Animals', rows: [['Name'], [OTTERS]] }]),
  'a.xls': xls('Animals', [['Name'], [OTTERS]]),
  'a.pptx': pptx([{ shapes: shape(OTTERS) }]),
  'a.eml': Buffer.from(eml),
  'a.msg': msg('Quarterly', OTTERS, attachment),
  'a.txt': Buffer.from(`${OTTERS}, où l'été est doux et la forêt, très âgée.`, 'latin1'),
};

(URL_ === undefined ? describe.skip : describe)('a system from the image', () => {
  let person: Person;
  let project: string;

  beforeAll(async () => {
    const account = { email: `ada-${Date.now()}@example.org`, password: 'correct horse battery' };
    const nobody = new Person(String(URL_), '');
    await nobody.post('/v1/api/auth/register', account, 201);
    const { token } = await nobody.post<{ token: string }>('/v1/api/auth/login', account);
    person = new Person(String(URL_), token);
    project = await person.project();
  });

  const url = (path: string) => `/v1/api/projects/${project}/documents/${path}`;
  const text = async (path: string) => (await person.request('GET', url(path))).text();
  const put = async (path: string, content: Uint8Array) => {
    const type = { 'content-type': 'application/octet-stream' };
    const answer = await person.request('PUT', url(path), new Uint8Array(content), type);
    expect([path, answer.status]).toEqual([path, 201]);
  };

  it.each(Object.keys(FILES))('reads %s', async (path) => {
    await put(path, FILES[path] as Buffer);
    expect(await text(path)).toContain(OTTERS);
  });

  it.each([
    ['a JPEG in English', 'english.jpg', () => drawing(LINES).encode('jpeg'), LINES],
    ['a PNG in German', 'german.png', () => drawing(UMLAUTS).encode('png'), UMLAUTS],
    ['a scanned PDF', 'scan.pdf', () => scannedPdf([drawing(LINES, { width: 1224, height: 1584 })]), LINES],
  ])(
    'recognises %s',
    async (_, path, file, lines) => {
      await put(path, await file());
      await until(`${path} is recognised`, async () => (await text(path)).trim() === lines.join('\n'), 60_000);
    },
    70_000,
  );

  it('finds passages, and answers', async () => {
    await person.upload(project, 'herons.md', '# Herons\n\nHerons stand in Rome, beside the river.');
    const { results } = await until('the passage is found', async () => {
      const found = await person.search(project, 'Where do herons stand?');
      return found.source === SOURCE && found.results[0]?.document === 'herons.md' && found;
    });
    expect(results[0]?.text).toContain('Herons stand in Rome');
    const { response, model } = await person.post<{ response: string; model: string }>('/v1/api/chat', {
      message: 'Where do herons stand?',
      project_id: project,
    });
    expect(model).toBe('extractive');
    expect(response).toContain('Rome');
  });

  it('keeps the history of a document', async () => {
    await person.upload(project, 'plums.md', '# Plums\n\nPlums are blue.\n');
    await person.upload(project, 'plums.md', '# Plums\n\nPlums are red.\n', 200);
    const path = `/v1/api/projects/${project}`;
    const [newest, first] = await until('both versions are committed', async () => {
      const { versions } = await person.get<{ versions: { version: string }[] }>(`${path}/history?path=plums.md`);
      return versions.length === 2 && versions;
    });
    const query = `path=plums.md&from=${first?.version}&to=${newest?.version}`;
    expect(JSON.stringify(await person.get(`${path}/diff?${query}`))).toMatch(/-Plums are blue\..*\+Plums are red\./);
    expect(JSON.stringify(await person.get(`${path}/blame?path=plums.md`))).toContain('Plums are red.');
  });

  describe('imports a repository', () => {
    const bare = join(SHARED, 'library.git');
    const server = createServer({}, (request, response) => void serveRepositories(request, response));
    beforeAll(async () => {
      makeRepository(join(SHARED, 'library'), bare);
      server.setSecureContext({
        key: readFileSync(join(SHARED, 'key.pem')),
        cert: readFileSync(join(SHARED, 'cert.pem')),
      });
      await once(server.listen(GIT_PORT, '127.0.0.1'), 'listening');
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it.each([
      ['from a folder', bare],
      ['over https', `https://localhost:${GIT_PORT}/library.git`],
    ])('%s, with messages in an old character set', async (_, source) => {
      const into = await person.project('Library');
      const path = `/v1/api/projects/${into}`;
      const { import_id } = await person.post<{ import_id: string }>(`${path}/import`, { source }, 202);
      const end = await until('the import ends', async () => {
        const progress = await person.get<{ state: string }>(`${path}/import/${import_id}`);
        return progress.state !== 'running' && progress;
      });
      expect(end).toMatchObject({ state: 'done', documents: 1, detail: null });
      const { versions } = await person.get<{ versions: { message: string }[] }>(`${path}/history`);
      expect(versions.map(({ message }) => message)).toEqual(['Grüne Bücher']);
    });
  });

  it.each(['/', '/v1/api/docs', '/v1/api/docs/swagger-ui-bundle.js', '/v1/api/docs/swagger-ui.css', '/metrics'])(
    'serves %s',
    async (path) => {
      expect((await fetch(`${URL_}${path}`)).status).toBe(200);
    },
  );
});

/** Answers as a host of repositories does, by the CGI program of git. */
async function serveRepositories(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'https://localhost');
  const {
    'content-type': type = '',
    'content-encoding': encoding = '',
    'git-protocol': protocol = '',
  } = request.headers;
  const backend = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: SHARED,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(protocol),
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: type,
      HTTP_CONTENT_ENCODING: encoding,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(backend.stdin);
  const answer = await buffer(backend.stdout);
  const end = answer.indexOf('\r\n\r\n');
  for (const line of answer.toString('latin1', 0, end).split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(answer.subarray(end + 4));
}

/** A repository of one commit, and a bare copy. */
function makeRepository(folder: string, bare: string): void {
  mkdirSync(folder);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Grace', '-c', 'user.email=grace@example.org', ...args], { cwd: folder });
  git('init', '-q', '-b', 'main');
  writeFileSync(join(folder, 'book.md'), '# Books\n\nThey stand on shelf 7.\n');
  git('add', '-A');
  writeFileSync(join(folder, 'message'), 'Grüne Bücher\n', 'latin1');
  git('-c', 'i18n.commitEncoding=ISO-8859-1', 'commit', '-q', '-F', 'message');
  git('clone', '-q', '--bare', folder, bare);
  // git offers no repository of another owner than its own user, which is that of the image.
  execFileSync('chown', ['-R', '1000:1000', bare]);
}
