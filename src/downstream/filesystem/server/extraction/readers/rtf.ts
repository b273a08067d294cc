import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { Extracted } from '../extracted.ts';
import { counted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { type Property, withProperties } from './properties.ts';

/** A control word with its number, an escaped byte, a control symbol, a brace, or text (RTF 1.9.1). */
const TOKEN = /\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)/gi;
/** Groups whose text is not part of the document. */
const SKIPPED = new Set(
  `fonttbl colortbl stylesheet listtable listoverridetable rsidtbl info generator themedata colorschememapping latentstyles
   datastore xmlnstbl fldinst pict objdata objclass objname filetbl revtbl mmathPr pgptbl bkmkstart bkmkend atnid atnauthor atndate atnref
   listtext pntext nonshppict template passwordhash`.split(/\s+/),
);
/** Groups with text of the document although readers may skip them: comments, notes, and text boxes within a drawing. */
const READ = new Set(['annotation', 'footnote', 'shptxt']);
/** Groups whose text is read although readers without equations or pictures skip them. */
const CONTAINERS = new Set(['shppict', 'moMath', 'moMathPara']);
/** Groups of `info` (RTF 1.9.1, "Information group"). */
const PROPERTIES: Record<string, string> = {
  ...{ title: 'Title', subject: 'Subject', author: 'Author', keywords: 'Keywords', category: 'Category' },
  doccomm: 'Description',
};
const BREAKS: Record<string, string> = {
  ...{ par: '\n\n', sect: '\n\n', page: '\n\n', line: '\n', tab: ' ', cell: ' | ', nestcell: ' | ', row: '\n' },
  ...{ nestrow: '\n', emdash: '—', endash: '–', lquote: '‘', rquote: '’', ldblquote: '“', rdblquote: '”' },
  ...{ bullet: '•', emspace: ' ', enspace: ' ', qmspace: ' ' },
};
const SYMBOLS: Record<string, string> = {
  '\\': '\\',
  '{': '{',
  '}': '}',
  '~': '\u00a0',
  _: '-',
  '\n': '\n\n',
  '\r': '\n\n',
};
/** Windows code pages by the numbers of `\fcharset`. */
const CHARSETS: Record<number, number> = {
  ...{ 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257 },
  ...{ 204: 1251, 222: 874, 238: 1250 },
};

/** `\outlinelevel0` is the highest heading; 9 is body text. */
const MAX_LEVELS = 6;

const CUT_SHORT: Warning = {
  code: 'file_cut_short',
  detail: 'the file ends in the middle; what stood behind is missing',
};

/** The name of a property of a drawing, and the value of the one that describes it. */
const SHAPE_NAME = 'sn';
const SHAPE_VALUE = 'sv';
const DESCRIPTION = 'wzDescription';

interface Group {
  isSkipped: boolean;
  codePage: number;
  /** What is written where the group ends. */
  ending: string;
  /** How many characters follow a `\u` as a replacement for readers without Unicode. */
  fallbackChars: number;
  /** The property of the document or of a drawing that its text is. */
  property?: string | undefined;
  /** Whether it repeats a picture for older readers, or shows an object. */
  isCopy?: boolean;
  /** Whether its text was deleted while changes were tracked. */
  isDeleted?: boolean;
}

/** Reads paragraphs, table cells and notes; fonts, pictures and field instructions are left out. */
export function fromRtf(content: Uint8Array): Extracted {
  const source = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  if (!/^\s*\{\\rtf/.test(source)) throw new Fault('it is not RTF: it does not begin with {\\rtf');
  const reader = new RtfReader();
  reader.read(source);
  return reader.result();
}

class RtfReader {
  private readonly parts: string[] = [];
  private readonly outer: Group[] = [];
  private group: Group = { isSkipped: false, ending: '', codePage: 1252, fallbackChars: 1 };
  private bytes: number[] = [];
  /** The number of replacement characters after a `\u` that are still to be skipped. */
  private passOver = 0;
  private readonly fonts = new Map<number, number>();
  private font = 0;
  private defaultCodePage = 1252;
  private inFonts = false;
  /** Where the open paragraph begins in `parts`, and its level if it is a heading. */
  private paragraph = 0;
  private level: number | undefined;
  private pictures = 0;
  private objects = 0;
  private deletions = 0;
  private readonly properties: Property[] = [];
  private readonly shape = { [SHAPE_NAME]: '', [SHAPE_VALUE]: '' };
  private described = 0;

  read(source: string): void {
    for (const [, word, number, hex, symbol, brace, text] of source.matchAll(TOKEN)) {
      if (hex !== undefined) this.byte(Number.parseInt(hex, 16));
      else if (text !== undefined) for (const char of this.kept(text)) this.byte(char.charCodeAt(0));
      else {
        if (word !== undefined || symbol !== undefined || brace !== undefined) this.flush();
        if (word !== undefined) this.control(word, number === undefined ? undefined : Number(number));
        else if (symbol !== undefined) this.symbol(symbol);
        else if (brace !== undefined) this.brace(brace);
      }
    }
    this.flush();
  }

  result(): Extracted {
    const lines = this.parts
      .join('')
      .replaceAll(/ \| ?(?=\n|$)/g, '')
      .split('\n')
      .map((line) => line.trimEnd());
    const text = lines
      .join('\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .replaceAll(/^ \(/gm, '(')
      .trim();
    return {
      text: withProperties(text, this.properties),
      warnings: [
        ...counted(this.deletions, 'deletions_left_out', 'tracked deletions are left out; insertions are in'),
        ...counted(Math.max(0, this.pictures - this.described), 'pictures_left_out', 'pictures are left out'),
        ...counted(this.objects, 'embedded_files_left_out', 'embedded files are left out'),
        ...(this.outer.length === 0 ? [] : [CUT_SHORT]),
      ],
    };
  }

  private kept(text: string): string {
    const kept = text.slice(this.passOver);
    this.passOver = Math.max(0, this.passOver - text.length);
    return kept;
  }

  private byte(value: number): void {
    if (this.passOver > 0) this.passOver--;
    else if (this.isRead) this.bytes.push(value);
  }

  /** The bytes of one character may be written one by one. */
  private flush(): void {
    if (this.bytes.length === 0) return;
    const bytes = Uint8Array.from(this.bytes);
    this.bytes = [];
    this.write(decoded(bytes, this.group.codePage));
  }

  private get isRead(): boolean {
    if (this.group.property !== undefined) return true;
    return !this.group.isSkipped && this.group.isDeleted !== true;
  }

  private write(text: string): void {
    const { property } = this.group;
    if (property === undefined) this.parts.push(this.parts.at(-1) === ' (' ? text.trimStart() : text);
    else if (property === SHAPE_NAME || property === SHAPE_VALUE) this.shape[property] += text;
    else {
      const last = this.properties.at(-1);
      this.properties.splice(-1, 1, [property, (last?.[1] ?? '') + text]);
    }
  }

  private brace(brace: string): void {
    this.passOver = 0;
    if (brace === '{') this.begin();
    else {
      if (this.group.property === SHAPE_VALUE) this.describe(this.shape[SHAPE_VALUE].trim());
      this.parts.push(this.group.ending);
      this.group = this.outer.pop() ?? this.group;
      if (!this.group.isSkipped) this.inFonts = false;
    }
  }

  private begin(): void {
    this.outer.push(this.group);
    this.group = { ...this.group, ending: '', property: undefined };
  }

  private symbol(symbol: string): void {
    // `\*` starts a group that readers may skip; groups with text have names without it.
    if (symbol === '*') this.group.isSkipped = true;
    else if (this.passOver > 0) this.passOver--;
    else if (this.isRead) this.write(SYMBOLS[symbol] ?? '');
  }

  private control(word: string, number: number | undefined): void {
    if (word === 'fonttbl') this.inFonts = true;
    this.count(word, number);
    if (CONTAINERS.has(word)) this.group.isSkipped = this.outer.at(-1)?.isSkipped ?? false;
    else if (PROPERTIES[word] !== undefined && this.outer.at(-1)?.isSkipped === true) this.property(PROPERTIES[word]);
    else if (READ.has(word)) {
      this.group.isSkipped = false;
      this.group.ending = ')';
      this.parts.push(' (');
    } else if (SKIPPED.has(word)) this.group.isSkipped = true;
    else if (word === 'f' && this.inFonts) this.font = number ?? 0;
    else if (word === 'fcharset') this.fonts.set(this.font, CHARSETS[number ?? 0] ?? this.defaultCodePage);
    else if (word === 'f') this.group.codePage = this.fonts.get(number ?? 0) ?? this.defaultCodePage;
    else if (word === 'ansicpg') this.group.codePage = this.defaultCodePage = number ?? 1252;
    else if (word === 'mac') this.group.codePage = this.defaultCodePage = 10000;
    else if (word === 'uc') this.group.fallbackChars = Math.max(0, number ?? 1);
    else if (word === 'bin') this.passOver = 0;
    else if (word === 'u' && number !== undefined) this.unicode(number);
    else if (this.group.isSkipped) return;
    else if (word === 'pard') this.level = undefined;
    else if (word === 'outlinelevel') this.level = number;
    else if (BREAKS[word] !== undefined) this.break(BREAKS[word]);
  }

  private count(word: string, number: number | undefined): void {
    if (word === 'nonshppict' || word === 'object') this.group.isCopy = true;
    if (word === 'object') this.objects++;
    if (word === 'pict' && this.group.isCopy !== true) this.pictures++;
    if (word === SHAPE_NAME || (word === SHAPE_VALUE && this.shape[SHAPE_NAME] === DESCRIPTION)) {
      this.group.property = word;
      this.shape[word] = '';
    }
    if (word === 'plain') this.group.isDeleted = false;
    if (word !== 'deleted') return;
    this.group.isDeleted = number !== 0;
    if (number !== 0) this.deletions++;
  }

  private describe(text: string): void {
    if (text === '' || this.group.isCopy === true) return;
    this.parts.push(` (${text})`);
    this.described++;
  }

  private property(name: string): void {
    this.group.property = name;
    this.properties.push([name, '']);
  }

  private break(text: string): void {
    if (this.passOver > 0) return void this.passOver--;
    if (text === ' ' && this.parts.at(-1) === ' (') return;
    if (text === '\n\n') {
      const words = this.parts.slice(this.paragraph).join('').trim();
      const isHeading = this.level !== undefined && this.level < MAX_LEVELS && words !== '' && !words.includes('\n');
      if (isHeading) this.parts.splice(this.paragraph, Infinity, `${'#'.repeat((this.level as number) + 1)} ${words}`);
    }
    this.parts.push(text);
    if (text === '\n\n') this.paragraph = this.parts.length;
  }

  /** Numbers above 32,767 are written as negative ones. */
  private unicode(number: number): void {
    if (this.isRead) this.write(String.fromCharCode(number & 0xffff));
    this.passOver = this.group.fallbackChars;
  }
}

function decoded(bytes: Uint8Array, codePage: number): string {
  const label = codePage === 10000 ? 'macintosh' : (NAMES[codePage] ?? `windows-${codePage}`);
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
const NAMES: Record<number, string> = { 932: 'shift_jis', 936: 'gbk', 949: 'euc-kr', 950: 'big5', 65001: 'utf-8' };
