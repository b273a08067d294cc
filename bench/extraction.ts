// Compares the extracted text with that of pdftotext, pandoc and LibreOffice, as far as they are installed: the share
// of the words of the other program the text of Caudex has, and the other way round, and the time of each.
// `npm run bench:extraction -- FILES…`; without files, of samples that are made here. Prints the table of docs/documents.md.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { documentFormatOf, extractedTypeOf } from '../dist/contract/document-format.js';
import { TextExtractor } from '../dist/downstream/filesystem/server/extraction/text-extractor.js';
import { sampleFiles } from './extraction-samples.ts';

type Reader = (file: string, folder: string) => string;

const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });

/** LibreOffice writes what it reads into a folder; a spreadsheet as one file for each sheet. */
function libreOffice(file: string, folder: string): string {
  const isSheet = /\.(?:xlsx|xls|ods)$/.test(file);
  const isSlides = /\.(?:pptx|odp)$/.test(file);
  const filter = isSheet
    ? 'csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1'
    : 'txt:Text (encoded):UTF8';
  if (isSlides) {
    run('soffice', '--headless', '--convert-to', 'pdf', '--outdir', folder, file);
    return run('pdftotext', join(folder, `${basename(file, extname(file))}.pdf`), '-');
  }
  run('soffice', '--headless', '--convert-to', filter, '--outdir', folder, file);
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}

const READERS: Record<string, { reads: RegExp; read: Reader }> = {
  pdftotext: { reads: /\.pdf$/, read: (file) => run('pdftotext', file, '-') },
  pandoc: {
    reads: /\.(?:docx|odt|epub|rtf|html|ipynb|csv)$/,
    read: (file) => run('pandoc', '--to', 'plain', '--wrap', 'none', file),
  },
  LibreOffice: { reads: /\.(?:docx|doc|odt|rtf|xlsx|xls|ods|pptx|odp)$/, read: libreOffice },
};

function isInstalled(name: string): boolean {
  const program = name === 'LibreOffice' ? 'soffice' : name;
  try {
    run(program, name === 'pdftotext' ? '-v' : '--version');
    return true;
  } catch {
    return false;
  }
}

function readBy(read: Reader, file: string, folder: string): string | undefined {
  try {
    return read(file, folder);
  } catch {
    return undefined;
  }
}

/** Words with how often each comes up. */
function wordsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function shareOf(words: Map<string, number>, inOther: Map<string, number>): string {
  let all = 0;
  let found = 0;
  for (const [word, count] of words) {
    all += count;
    found += Math.min(count, inOther.get(word) ?? 0);
  }
  return all === 0 ? '–' : `${Math.round((100 * found) / all)} %`;
}

const extractor = new TextExtractor({ timeoutMs: 60_000, maxMemoryBytes: 2 ** 30, maxTextBytes: 2 ** 26 });
const work = mkdtempSync(join(tmpdir(), 'caudex-extraction-'));
const files = process.argv.slice(2);
if (files.length === 0) {
  for (const [name, bytes] of Object.entries(sampleFiles())) {
    writeFileSync(join(work, name), bytes);
    files.push(join(work, name));
  }
}
const installed = Object.entries(READERS).filter(([name]) => isInstalled(name));
console.log('| file | ms | beside | ms | its words in ours | our words in its | warnings |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const [at, file] of files.entries()) {
  const format = documentFormatOf(extractedTypeOf(file) ?? '');
  if (format === undefined || format === 'picture') continue;
  const beganMs = performance.now();
  const ours = await extractor.extract(readFileSync(file), format, 'bench').catch((error: Error) => error);
  const tookMs = Math.round(performance.now() - beganMs);
  if (ours instanceof Error) {
    console.log(`| ${basename(file)} | ${tookMs} | | | | | ${ours.message} |`);
    continue;
  }
  const warnings = ours.warnings
    .map(({ code, count }) => `${code}${count === undefined ? '' : ` ${count}`}`)
    .join(', ');
  for (const [name, { read }] of installed.filter(([, { reads }]) => reads.test(file))) {
    const folder = join(work, `${name}-${at}`);
    mkdirSync(folder);
    const otherBeganMs = performance.now();
    const other = readBy(read, file, folder);
    if (other === undefined) {
      console.log(`| ${basename(file)} | ${tookMs} | ${name} | | can not read it | | ${warnings} |`);
      continue;
    }
    const theirs = wordsOf(other);
    const theirMs = Math.round(performance.now() - otherBeganMs);
    const own = wordsOf(ours.text);
    console.log(
      `| ${basename(file)} | ${tookMs} | ${name} | ${theirMs} | ${shareOf(theirs, own)} | ${shareOf(own, theirs)} | ${warnings} |`,
    );
  }
}
rmSync(work, { recursive: true });
