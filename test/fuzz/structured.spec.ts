import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { SkippedFiles } from '../../src/backend/documents/archive/junk.js';
import { readArchive } from '../../src/backend/documents/archive/read-archive.js';
import { FilesystemServerModule } from '../../src/downstream/filesystem/server/filesystem-server.module.js';
import { GitServerModule } from '../../src/downstream/git/server/git-server.module.js';
import { Problem } from '../../src/http/problem.js';
import { docx, pdf } from '../sample-files.js';
import { type ServerUnderTest, startForTest } from '../server-under-test.js';

/** For each kind of file; `npm run test:fuzz` takes longer. */
const SECONDS = Number(process.env['CAUDEX_FUZZ_S'] ?? 4);
/** The limit for one file, on a busy machine. */
const BOUND_MS = 20_000;

const word = fc.constantFrom('pear', 'ripe', 'Ä', '梨', '\u0301', '💥', '\u202e', '0', 'x'.repeat(300), '');
const space = fc.constantFrom(' ', '\n', '\n\n', '\t', '\r\n', '');
const mark = fc.constantFrom(
  '#',
  '##',
  '- ',
  '> ',
  '```',
  '~~~',
  '|',
  '[',
  ']',
  '(',
  ')',
  '](',
  '[[',
  ']]',
  '***',
  '<!--',
);
const markdown = fc
  .array(fc.tuple(fc.oneof(word, mark), space, fc.nat(40)), { maxLength: 60 })
  .map((parts) => parts.map(([text, gap, n]) => text.repeat(n) + gap).join(''));

const tag = fc.constantFrom(
  'p',
  'div',
  'table',
  'tr',
  'td',
  'ul',
  'li',
  'ol',
  'h1',
  'pre',
  'blockquote',
  'a',
  'constructor',
  '__proto__',
  'svg',
  'script',
  'style',
  'template',
);
const attribute = fc.constantFrom(
  '',
  ' colspan=99999',
  ' rowspan=-1',
  ' start=99999999999',
  ' type=i',
  ' class="__proto__"',
  ' href="javascript:x"',
  ' "',
  " '",
);
const html = fc
  .array(fc.tuple(tag, attribute, markdown, fc.boolean(), fc.integer({ min: 1, max: 30 })), { maxLength: 20 })
  .map((parts) =>
    parts
      .map(([name, more, text, closed, n]) => `<${name}${more}>`.repeat(n) + text + (closed ? `</${name}>` : ''))
      .join(''),
  );

const name = fc.constantFrom(
  'a.md',
  'x/../y.md',
  '/etc/passwd',
  'C:\\x',
  '',
  'ü.md',
  'a\0b',
  'word/document.xml',
  '[Content_Types].xml',
  'z'.repeat(300),
);
const archive = fc
  .array(fc.tuple(name, fc.oneof(markdown, html)), { maxLength: 8 })
  .map((entries) => zipSync(Object.fromEntries(entries.map(([path, text]) => [path, strToU8(text)]))));
/** A valid file with some bytes changed, removed or inserted. */
const damaged = (file: fc.Arbitrary<Uint8Array>) =>
  fc
    .tuple(file, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 20 }), fc.nat())
    .map(([bytes, changes, cut]) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
      return cut % 3 === 0 ? copy.subarray(0, cut % (copy.length + 1)) : copy;
    });
const pdfs = damaged(
  fc
    .array(
      markdown.filter((text) => /^[\x20-\x7e\n]*$/.test(text)),
      { minLength: 1, maxLength: 3 },
    )
    .map((pages) => pdf(...pages)),
);
const docxs = damaged(fc.oneof(markdown, html).map((text) => docx(text)));

/** A single commit with arbitrary content. */
const person = fc.constantFrom('n <e@e>', ' <>', 'x\x02--output=/tmp/x <e>', '<<>> <', 'a\x01\x03 <e@e>', '--all <-x>');
const time = fc.constantFrom(
  '1700000000 +0000',
  '0 +0000',
  '-1 +0000',
  '99999999999 +9999',
  '18446744073709551615 +0000',
);
const commit = fc.record({
  person,
  time,
  message: fc.oneof(markdown, fc.constantFrom('', '\x02', '\0x', 'gpgsig x')),
  text: markdown,
});

/** Runs for a fixed time; every run draws a new sample, and a failure prints it. */
async function forAWhile<T>(sample: fc.Arbitrary<T>, check: (value: T) => Promise<void>): Promise<void> {
  const endMs = performance.now() + SECONDS * 1000;
  // One sample at a time: fast-check counts a time limit that ends before the first sample as a failure.
  do await fc.assert(fc.asyncProperty(sample, check), { numRuns: 1 });
  while (performance.now() < endMs);
}

async function timed<T>(work: Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const result = await work;
  expect(performance.now() - beganMs).toBeLessThan(BOUND_MS);
  return result;
}

describe('files of every kind', () => {
  let server: ServerUnderTest;
  let count = 0;
  beforeAll(async () => {
    server = await startForTest('filesystem', FilesystemServerModule, {
      CAUDEX__FILESYSTEM__EXTRACTION__TIMEOUT_MS: '5000',
    });
    await server.call('POST', '/projects', { user: 'ada', body: { project_id: 'p', name: 'P' } });
  });
  afterAll(() => server.close());

  const put = async (body: object) => {
    const path = `/projects/p/document?path=${++count}`;
    const answer = await timed(server.call('PUT', path, { user: 'ada', body: { version: `v${count}`, ...body } }));
    expect(answer.status).toBeLessThan(500);
    expect(answer.status).not.toBe(429);
  };
  const asBytes = (media_type: string) => (bytes: Uint8Array | string) =>
    put({ media_type, content_base64: Buffer.from(bytes).toString('base64') });
  const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

  it.each([
    ['Markdown', markdown.map((text) => ({ media_type: 'text/markdown', text: text.toWellFormed() })), put],
    ['HTML', html, asBytes('text/html')],
    ['PDF', pdfs, asBytes('application/pdf')],
    ['DOCX', docxs, asBytes(DOCX)],
    ['archives that claim to be DOCX', damaged(archive), asBytes(DOCX)],
  ] as [string, fc.Arbitrary<unknown>, (value: unknown) => Promise<void>][])(
    'are taken or refused, and nothing fails: %s',
    (_, sample, check) => forAWhile(sample, check),
    (SECONDS + 60) * 1000,
  );

  it(
    'are taken out of archives or refused: ZIP',
    () =>
      forAWhile(damaged(archive), async (bytes) => {
        try {
          const limits = { max_files: 100, max_bytes: 10_000_000, max_ratio: 200 };
          for (const file of await timed(readArchive(Buffer.from(bytes), limits, new SkippedFiles()))) {
            await file.bytes().catch((error: unknown) => expect(error).toBeInstanceOf(Problem));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
      }),
    (SECONDS + 60) * 1000,
  );
});

describe('histories of every kind', () => {
  let server: ServerUnderTest;
  let root: string;
  let count = 0;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'caudex-histories-'));
    server = await startForTest('git', GitServerModule, { CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([root]) });
  });
  afterAll(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });

  function repositoryOf(commits: readonly { person: string; time: string; message: string; text: string }[]): string {
    const dir = join(root, `r${++count}`);
    mkdirSync(dir);
    const run = (args: string[], input: string) =>
      execFileSync('git', args, { cwd: dir, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] }).trim();
    run(['init', '-q', '-b', 'main'], '');
    let parent = '';
    for (const { person: who, time: when, message, text } of commits) {
      const blob = run(['hash-object', '-w', '--stdin'], text);
      const tree = run(['mktree'], `100644 blob ${blob}\ta.md\n`);
      const object = `tree ${tree}\n${parent}author ${who} ${when}\ncommitter ${who} ${when}\n\n${message}`;
      const hash = run(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], object);
      parent = `parent ${hash}\n`;
      run(['update-ref', 'refs/heads/main', hash], '');
    }
    return dir;
  }

  it(
    'are imported or refused, and can be read',
    () =>
      forAWhile(fc.array(commit, { minLength: 1, maxLength: 4 }), async (commits) => {
        const source = repositoryOf(commits);
        const project = `p${count}`;
        const body = { import_id: 'i', source };
        const start = () => server.call('POST', `/projects/${project}/imports`, { user: 'eve', body });
        let told = await timed(start());
        while (told.body['state'] === 'running') {
          await new Promise((resolve) => setTimeout(resolve, 20));
          told = await start();
        }
        for (const path of ['history', 'changes', 'blame?path=a.md', 'graph']) {
          const { status } = await timed(server.call('GET', `/projects/${project}/${path}`, { user: 'eve' }));
          expect({ path, status: status < 500 }).toEqual({ path, status: true });
        }
      }),
    (SECONDS + 60) * 1000,
  );
});
