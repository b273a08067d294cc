import chardet from 'chardet';
import iconv from 'iconv-lite';
import { type Entry, getFileNameLowLevel } from 'yauzl';

const UTF8_FLAG = 0x800;

/**
 * Reads the names of the entries of one archive: by the UTF-8 flag or the Info-ZIP Unicode path field where an entry has
 * one. Other names are in the code page of the system that made the archive, which the archive does not state: one code
 * page is found for all of them together.
 */
export function nameReader(entries: readonly Entry[]): (entry: Entry) => string {
  const charset = legacyCharset(sampleOf(entries));
  return (entry) => statedName(entry) ?? iconv.decode(entry.fileNameRaw, charset);
}
const NEWLINE = Buffer.from('\n');
/** So much of the names that are not ASCII tells their code page. */
const SAMPLE_BYTES = 256 * 1024;

function sampleOf(entries: readonly Entry[]): Buffer {
  const names: Buffer[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (bytes > SAMPLE_BYTES) break;
    if (statedName(entry) !== undefined || !entry.fileNameRaw.some((byte) => byte > 0x7f)) continue;
    names.push(entry.fileNameRaw, NEWLINE);
    bytes += entry.fileNameRaw.length + 1;
  }
  return Buffer.concat(names);
}

function statedName({ generalPurposeBitFlag: flags, fileNameRaw: raw, extraFields }: Entry): string | undefined {
  const name = getFileNameLowLevel(flags, raw, extraFields, true);
  const hasField = name !== getFileNameLowLevel(flags, raw, [], true);
  return hasField || (flags & UTF8_FLAG) !== 0 ? name : undefined;
}

/** Letters beyond ASCII; in a wrong code page they become symbols, box drawings or letters of several scripts. */
const OTHER_THAN_ASCII = /[^\p{ASCII}]/gu;
const LETTERS = {
  latin: /^[\p{Script=Latin}\p{M}]+$/u,
  cyrillic: /^\p{Script=Cyrillic}+$/u,
  hangul: /^\p{Script=Hangul}+$/u,
  japanese: /^(?=.*[\p{Script=Hiragana}\p{Script=Katakana}])[\p{Script=Han}\u3000-\u30ff\uff01-\uff5e]+$/u,
  chinese: /^[\p{Script=Han}\u3000-\u303f\uff01-\uff5e]+$/u,
};

/**
 * The code page of names that do not state theirs: UTF-8 where they are valid UTF-8, else the first code page that turns
 * them into letters of its own script, else code page 437, the default of the ZIP specification.
 */
export function legacyCharset(names: Buffer): string {
  if (decoded(names, 'utf-8') !== undefined) return 'utf-8';
  const inDos = iconv.decode(names, 'cp437');
  if (isIn(LETTERS.latin, inDos) && isMostlyAscii(inDos)) return 'cp437';
  if (isIn(LETTERS.japanese, decoded(names, 'shift_jis'))) return 'shift_jis';
  if (isIn(LETTERS.cyrillic, iconv.decode(names, 'cp866'))) return 'cp866';
  if (isIn(LETTERS.hangul, decoded(names, 'euc-kr'))) return 'euc-kr';
  const chinese = chardet.analyse(names).map(({ name }) => name.toLowerCase());
  const found = chinese.find(
    (name) => /^(gb18030|big5|euc-jp)$/.test(name) && isIn(LETTERS.chinese, decoded(names, name)),
  );
  return found ?? 'cp437';
}

function isIn(letters: RegExp, text: string | undefined): boolean {
  return letters.test(text?.match(OTHER_THAN_ASCII)?.join('') ?? '');
}

/** Words of European languages have few accents; names in Japanese look like accents only. */
function isMostlyAscii(text: string): boolean {
  const words = text.match(/[^\s./_-]+/g)?.filter((word) => /[^\p{ASCII}]/u.test(word)) ?? [];
  const letters = words.join('');
  return (letters.match(OTHER_THAN_ASCII)?.length ?? 0) <= letters.length / 2;
}

function decoded(bytes: Buffer, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
