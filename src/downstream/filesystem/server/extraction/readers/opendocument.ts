import type { Warning } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { partLosses } from './office-losses.ts';
import { type Property, propertiesOf } from './properties.ts';
import { paragraphsOf, readXml } from './xml.ts';
import { type Parts, partsOf } from './zip-parts.ts';

const OBJECT = /^(?:\.\/)?Object [^/]+\/content\.xml$/;
/** Parts whose text is extracted. */
const READ = /^(?:content|styles|meta)\.xml$|^META-INF\/manifest\.xml$/;
/** Parts that say how a document looks, macros (told below), and the pictures that stand for objects. */
const WITHOUT_TEXT =
  /^mimetype$|^settings\.xml$|^manifest\.rdf$|^(?:Configurations2|Thumbnails|ObjectReplacements|Basic|Dialogs|layout-cache|META-INF|Fonts)(?:\/|$)|^Object [^/]+\/(?:styles|settings|meta)\.xml$/;

export interface OpenDocument extends Parts {
  /** The part `content.xml`. */
  content: string;
}

/** Unpacks an OpenDocument file (OASIS ODF 1.3, part 2). @throws Fault */
export function openDocument(content: Uint8Array, format: string, maxTextBytes: number): OpenDocument {
  const wanted = new RegExp(`${READ.source}|${OBJECT.source}`);
  const parts = partsOf(content, format, wanted, maxTextBytes);
  if (parts.text('META-INF/manifest.xml').includes('encryption-data')) {
    throw new Fault('it is protected by a password');
  }
  const body = parts.text('content.xml');
  if (body === '') throw new Fault(`it is not ${format}: it has no content.xml`);
  return { ...parts, content: body };
}

export function openDocumentLosses({ names, content }: OpenDocument): Warning[] {
  const isMacro = (name: string) => /^Basic\/.+\.xml$/.test(name) && !/script-l[bc]\.xml$/.test(name);
  const isFile = (name: string) => /^Object [^/]+$/.test(name);
  const isObject = (name: string) => OBJECT.test(name);
  return [
    ...counted(
      content.match(/<text:deletion\b/g)?.length ?? 0,
      'deletions_left_out',
      'tracked deletions are left out; insertions are in',
    ),
    ...counted(names.filter(isObject).length, 'charts_left_out', 'of charts and other objects only the text is read'),
    ...counted(names.filter(isFile).length, 'embedded_files_left_out', 'embedded files are left out'),
    ...counted(names.filter(isMacro).length, 'macros_left_out', 'macros are left out'),
    ...partLosses(
      names,
      (name) => READ.test(name) || isObject(name) || isFile(name) || isMacro(name) || WITHOUT_TEXT.test(name),
    ),
  ];
}

/** The texts of charts, of formulas (as they were typed) and of other objects in the document. */
export function objectTexts({ names, text }: OpenDocument): string[] {
  return names
    .filter((name) => OBJECT.test(name))
    .map((name) => {
      const formula = paragraphsOf(text(name), 'annotation', 'annotation');
      const paragraphs = formula.length > 0 ? formula : paragraphsOf(text(name), 'text:p', 'text:p');
      return (paragraphs.length > 0 ? paragraphs : [allText(text(name))]).join('\n');
    })
    .filter((one) => one !== '');
}

function allText(xml: string): string {
  const parts: string[] = [];
  readXml(xml, { start: () => {}, text: (part) => parts.push(part), end: () => {} });
  return parts.join(' ').replaceAll(/\s+/g, ' ').trim();
}

export const openDocumentProperties = ({ text }: OpenDocument): Property[] => propertiesOf(text('meta.xml'));

const PAGE_NUMBER = /<text:page-number\b/;
const FIELD = /<text:(?:page-number|page-count|sheet-name|file-name|date|time|title)\b[^>]*>[^<]*<\/[^>]*>/g;

/**
 * The headers and footers of the pages, each distinct paragraph once, and what is written on master slides. Those with
 * a page number and a word beside it, and with nothing but fields, are left out.
 */
export function marginsOf(document: OpenDocument): string[] {
  const styles = document.text('styles.xml');
  const margins = styles.match(/<style:(header|footer)(?:-left|-first)?[\s>].*?<\/style:\1(?:-left|-first)?>/gs) ?? [];
  const paragraphs = margins.flatMap((margin) => margin.match(/<text:(?:p|h)\b[^>]*>.*?<\/text:(?:p|h)>/gs) ?? []);
  const written = paragraphs.filter((paragraph) => {
    const own = allText(paragraph.replaceAll(FIELD, ' '));
    return /\p{L}/u.test(own) && !(PAGE_NUMBER.test(paragraph) && !/\s\p{L}{4}/u.test(own));
  });
  return [...new Set(written.flatMap((paragraph) => paragraphsOf(paragraph, 'text:p', 'text:p')))];
}

/** The names of styles with a property, such as `table:display` with the value `false`. */
export function stylesWith(content: string, property: string, value: string): Set<string> {
  const styles = content.match(/<style:style\b[^>]*>.*?<\/style:style>/gs) ?? [];
  const having = styles.filter((style) => style.includes(`${property}="${value}"`));
  return new Set(having.map((style) => /style:name="([^"]*)"/.exec(style)?.[1] ?? ''));
}
