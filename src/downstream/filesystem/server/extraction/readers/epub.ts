import { counted, type Extracted, summed } from '../extracted.ts';
import { Fault } from './fault.ts';
import { htmlToText } from './html.ts';
import { partLosses } from './office-losses.ts';
import { type Property, withProperties } from './properties.ts';
import { paragraphsOf, readXml } from './xml.ts';
import { type Parts, partsOf } from './zip-parts.ts';

/** The `title` element of a chapter is more often the name of the book or of the file than that of the chapter. */
const PAGE_TITLE = /<title\b[^>]*>[^<]*<\/title>/i;
const WANTED = /\.(?:opf|x?html?|xml|svg|ncx)$/i;
/** Parts that say how a book looks, or which are those of a shop. */
const WITHOUT_TEXT = /^mimetype$|^META-INF\/|\.(?:css|ncx|opf|ttf|otf|woff2?|js|smil|pls|xpgt|plist|xml)$/i;

/**
 * The title and the authors, then the chapters in reading order (EPUB 3.3, the spine of the package document), the
 * pages outside of that order, the entries of the table of contents that no chapter has, and the properties.
 */
export function fromEpub(content: Uint8Array, maxTextBytes: number): Extracted {
  const parts = partsOf(content, 'an EPUB', WANTED, maxTextBytes);
  const opf = attributeOf(parts.text('META-INF/container.xml'), 'rootfile', 'full-path') ?? '';
  const book = parts.text(opf);
  if (book === '') throw new Fault('it is not an EPUB: META-INF/container.xml names no package document');
  const { spine, others, navigation } = chaptersOf(book, opf);
  const locked = lockedParts(parts);
  if (spine.some((chapter) => locked.has(chapter))) throw new Fault('its chapters are encrypted (DRM)');
  const pages = [...spine, ...others].filter((name) => parts.text(name) !== '');
  const read = pages.map((name) => htmlToText(parts.text(name).replace(PAGE_TITLE, '')));
  const title = paragraphsOf(book, 'dc:title', 'dc:title')[0] ?? '';
  const authors = paragraphsOf(book, 'dc:creator', 'dc:creator').join(', ');
  const texts = [title === '' ? '' : `# ${title}`, authors, ...read.map(({ text }) => text)];
  const text = texts.filter((one) => one !== '').join('\n\n');
  const missing = spine.filter((name) => parts.text(name) === '').length;
  const isRead = new Set([...pages, ...navigation]);
  return {
    text: withProperties([text, ...contentsBeside(text, navigation, parts)].join('\n\n'), propertiesOf(book)),
    warnings: [
      ...summed(read.flatMap(({ warnings }) => warnings)),
      ...counted(missing, 'chapters_unreadable', 'chapters are missing in the file'),
      ...partLosses(parts.names, (name) => isRead.has(name) || WITHOUT_TEXT.test(name)),
    ],
  };
}

/** The entries of the table of contents whose words are nowhere in the text. */
function contentsBeside(text: string, navigation: readonly string[], parts: Parts): string[] {
  const words = (part: string) =>
    part
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  const known = words(text);
  const entries = navigation.flatMap((name) => [
    ...paragraphsOf(parts.text(name), 'navLabel', 'text'),
    ...paragraphsOf(parts.text(name), 'a', 'a'),
  ]);
  const missing = [...new Set(entries)].filter((entry) => !known.includes(words(entry)));
  return missing.length === 0 ? [] : [missing.map((entry) => `- ${entry}`).join('\n')];
}

/** Elements of the package document (Dublin Core) beside title and author. */
const PROPERTIES: Record<string, string> = {
  'dc:contributor': 'Contributor',
  'dc:subject': 'Subject',
  'dc:description': 'Description',
  'dc:publisher': 'Publisher',
  'dc:date': 'Date',
};

/** A description is often HTML. */
function propertiesOf(book: string): Property[] {
  return Object.entries(PROPERTIES).flatMap(([element, name]) =>
    paragraphsOf(book, element, element).map((value): Property => [name, htmlToText(value).text]),
  );
}

interface Chapters {
  /** In reading order. */
  spine: string[];
  /** Pages that the reading order does not have, such as notes that open from a chapter. */
  others: string[];
  /** The tables of contents. */
  navigation: string[];
}

function chaptersOf(book: string, opf: string): Chapters {
  const paths = new Map<string, string>();
  const spine: string[] = [];
  const pages: string[] = [];
  const navigation: string[] = [];
  const start = (name: string, attributes: Record<string, string>) => {
    const { id = '', href = '', idref = '', properties = '', 'media-type': type = '' } = attributes;
    const element = name.slice(name.indexOf(':') + 1);
    if (element === 'item') {
      const path = pathOf(href, opf);
      paths.set(id, path);
      if (type === 'application/x-dtbncx+xml' || /\bnav\b/.test(properties)) navigation.push(path);
      else if (type === 'application/xhtml+xml') pages.push(path);
    }
    const path = element === 'itemref' ? paths.get(idref) : undefined;
    if (path !== undefined) spine.push(path);
  };
  readXml(book, { start, text: () => {}, end: () => {} });
  const inOrder = new Set(spine);
  return { spine, others: pages.filter((path) => !inOrder.has(path)), navigation };
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
