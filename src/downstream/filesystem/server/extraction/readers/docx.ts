import { strFromU8, strToU8, zipSync } from 'fflate';
import mammoth from 'mammoth';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { counted } from '../extracted.ts';
import { chartText } from './charts.ts';
import { forMammoth, paragraphsOf } from './docx-markup.ts';
import { Fault } from './fault.ts';
import { htmlToText } from './html.ts';
import { chartLosses, partLosses } from './office-losses.ts';
import { propertiesOf, withProperties } from './properties.ts';
import { paragraphsOf as textsOf } from './xml.ts';
import { type Parts, partsOf } from './zip-parts.ts';

const STYLES = ["p[style-name='Title'] => h1:fresh", 'comment-reference => sup'];
const FIRST_ROW = /<table><tr>(.*?)<\/tr>/gs;
/** Parts whose text is extracted. */
const READ =
  /^word\/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml$|^word\/(?:charts\/chart|diagrams\/data)|^docProps\/(?:core|custom)\.xml$/;
const CHART = /^word\/charts\/chart(?:Ex)?\d*\.xml$/;
const DIAGRAM = /^word\/diagrams\/data\d*\.xml$/;
/** The link from a note back to its place in the text, as mammoth writes it. */
const BACK_LINK = /<a href="#[^"]*">↑<\/a>/g;

/**
 * Main text, tables, lists, notes, comments, text boxes, equations; then charts and diagrams, the headers and footers,
 * each distinct one once, and the properties.
 */
export async function fromDocx(content: Uint8Array, maxTextBytes: number): Promise<DecodedText> {
  const file = partsOf(content, 'a DOCX', /\.(?:xml|rels)$/, maxTextBytes);
  const { names, bytes: parts } = file;
  try {
    const { text, warnings } = htmlToText(withHeaderRows((await htmlOf(parts)).replaceAll(BACK_LINK, '')));
    const charts = names.filter((name) => CHART.test(name));
    const properties = ['core', 'custom'].flatMap((name) => propertiesOf(file.text(`docProps/${name}.xml`)));
    const all = [text, ...charts.map((name) => chartText(file.text(name))), ...diagramsOf(file), ...marginsOf(parts)];
    return {
      text: withProperties(all.filter((one) => one !== '').join('\n\n'), properties),
      warnings: [
        ...warnings,
        ...deletions(parts),
        ...chunks(parts),
        ...chartLosses(charts.length),
        ...partLosses(names, (name) => READ.test(name)),
      ],
    };
  } catch (error) {
    throw new Fault(`it is not a DOCX that can be read (${(error as Error).message.split(' : ')[0]})`);
  }
}

async function htmlOf(parts: Record<string, Uint8Array>): Promise<string> {
  const prepared = Object.entries(parts).map(([name, part]): [string, Uint8Array] =>
    /^word\/[^/]+\.xml$/.test(name)
      ? [name, strToU8(forMammoth(strFromU8(part), relationsOf(parts, name)))]
      : [name, part],
  );
  const buffer = Buffer.from(zipSync(Object.fromEntries(prepared), { level: 0 }));
  const convertImage = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  return (await mammoth.convertToHtml({ buffer }, { convertImage, styleMap: STYLES })).value;
}

/** The ids to which a part may refer. */
function relationsOf(parts: Record<string, Uint8Array>, name: string): Set<string> {
  const at = name.lastIndexOf('/') + 1;
  const relations = parts[`${name.slice(0, at)}_rels/${name.slice(at)}.rels`];
  const ids = relations === undefined ? [] : [...strFromU8(relations).matchAll(/\sId=["']([^"']*)["']/g)];
  return new Set(ids.map(([, id]) => id as string));
}

/**
 * Treats the first row of a table as its header, also where Word does not mark it: Markdown has no table without a
 * header row.
 */
function withHeaderRows(html: string): string {
  return html.replaceAll(FIRST_ROW, (row: string, cells: string) =>
    cells.includes('<table') ? row : row.replaceAll(/<(\/?)td\b/g, '<$1th'),
  );
}

function diagramsOf({ names, text }: Parts): string[] {
  return names.filter((name) => DIAGRAM.test(name)).flatMap((name) => textsOf(text(name), 'a:p', 'a:t'));
}

function marginsOf(parts: Record<string, Uint8Array>): Set<string> {
  const names = Object.keys(parts).filter((name) => /^word\/(?:header|footer)\d*\.xml$/.test(name));
  return new Set(names.flatMap((name) => paragraphsOf(strFromU8(parts[name] as Uint8Array))));
}

/** Whole files that Word puts into the text when it opens the document. */
function chunks(parts: Record<string, Uint8Array>): Warning[] {
  const main = parts['word/document.xml'];
  const count = main === undefined ? 0 : (strFromU8(main).match(/<w:altChunk[ />]/g)?.length ?? 0);
  return counted(count, 'embedded_files_left_out', 'embedded files are left out');
}

function deletions(parts: Record<string, Uint8Array>): Warning[] {
  const texts = Object.entries(parts).flatMap(([name, part]) => (READ.test(name) ? [strFromU8(part)] : []));
  const count = texts.reduce((sum, text) => sum + (text.match(/<w:del /g)?.length ?? 0), 0);
  return counted(count, 'deletions_left_out', 'tracked deletions are left out, and insertions are in');
}
