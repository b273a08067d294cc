import type { Warning } from '../../../../../contract/warning.contract.ts';
import { counted, type Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { htmlToText, picturesWithoutText } from './html.ts';
import { paragraphsOf, readXml } from './xml.ts';
import { type Parts, partsOf } from './zip-parts.ts';

/** The `title` element of a chapter is more often the name of the book or of the file than that of the chapter. */
const PAGE_TITLE = /<title\b[^>]*>[^<]*<\/title>/i;
const WANTED = /\.(?:opf|x?html?|xml|svg)$/i;

/** The title and the authors, then the chapters in reading order (EPUB 3.3, the spine of the package document). */
export function fromEpub(content: Uint8Array, maxTextBytes: number): Extracted {
  const parts = partsOf(content, 'an EPUB', WANTED, maxTextBytes);
  const opf = attributeOf(parts.text('META-INF/container.xml'), 'rootfile', 'full-path') ?? '';
  const book = parts.text(opf);
  if (book === '') throw new Fault('it is not an EPUB: META-INF/container.xml names no package document');
  const chapters = chaptersOf(book, opf);
  const locked = lockedParts(parts);
  if (chapters.some((chapter) => locked.has(chapter))) throw new Fault('its chapters are encrypted (DRM)');
  const read = chapters
    .filter((name) => parts.text(name) !== '')
    .map((name) => htmlToText(parts.text(name).replace(PAGE_TITLE, '')));
  const missing = chapters.length - read.length;
  const title = paragraphsOf(book, 'dc:title', 'dc:title')[0] ?? '';
  const authors = paragraphsOf(book, 'dc:creator', 'dc:creator').join(', ');
  const texts = [title === '' ? '' : `# ${title}`, authors, ...read.map(({ text }) => text)];
  return {
    text: texts.filter((text) => text !== '').join('\n\n'),
    warnings: [...picturesOf(read), ...counted(missing, 'chapters_unreadable', 'chapters are missing in the file')],
  };
}

/** One warning for all chapters. */
function picturesOf(chapters: readonly { warnings: Warning[] }[]): Warning[] {
  const count = chapters.reduce((sum, { warnings }) => sum + (warnings[0]?.count ?? 0), 0);
  return picturesWithoutText(count);
}

function chaptersOf(book: string, opf: string): string[] {
  const paths = new Map<string, string>();
  const chapters: string[] = [];
  const start = (name: string, { id = '', href = '', idref = '' }: Record<string, string>) => {
    const element = name.slice(name.indexOf(':') + 1);
    if (element === 'item') paths.set(id, pathOf(href, opf));
    const path = element === 'itemref' ? paths.get(idref) : undefined;
    if (path !== undefined) chapters.push(path);
  };
  readXml(book, { start, text: () => {}, end: () => {} });
  return chapters;
}

/** Resolves a reference that is relative to the package document. */
function pathOf(href: string, opf: string): string {
  if (!URL.canParse(href, `zip:/${encodeURI(opf)}`)) return '';
  const { pathname } = new URL(href, `zip:/${encodeURI(opf)}`);
  try {
    return decodeURIComponent(pathname).replace(/^\//, '');
  } catch {
    return pathname.replace(/^\//, '');
  }
}

/** Obfuscated fonts are often listed there as well. */
function lockedParts(parts: Parts): Set<string> {
  const uris = [...parts.text('META-INF/encryption.xml').matchAll(/CipherReference\s[^>]*?URI="([^"]+)"/g)];
  return new Set(uris.map(([, uri]) => pathOf(uri as string, '')));
}

function attributeOf(xml: string, element: string, attribute: string): string | undefined {
  let found: string | undefined;
  const start = (name: string, attributes: Record<string, string>) => {
    if (name === element) found ??= attributes[attribute];
  };
  readXml(xml, { start, text: () => {}, end: () => {} });
  return found;
}
