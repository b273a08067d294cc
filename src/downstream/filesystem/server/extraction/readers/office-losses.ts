import type { Warning, WarningCode } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';

/** Parts of Office Open XML and EPUB files from which no text is extracted. */
const LOST: [RegExp, WarningCode, string][] = [
  [/\/embeddings\/[^/]+$/, 'embedded_files_left_out', 'embedded files are left out'],
  [/\.(?:mp3|mp4|m4a|m4v|ogg|wav|wma|wmv|avi|mov|mpg|mpeg|webm)$/i, 'media_left_out', 'recordings are left out'],
  [/\/vbaProject\.bin$/i, 'macros_left_out', 'macros are left out'],
  [/\/(?:activeX\/activeX|ctrlProps\/)[^/]+\.xml$/, 'form_fields_left_out', 'controls of a form are left out'],
];
export const PICTURE = /\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|emz|wmz|svg|webp|wdp|ico)$/i;
/** Parts that say how a document looks, or how its parts are connected. */
const WITHOUT_TEXT = [
  /\/$|\.rels$|^\[Content_Types\]\.xml$|^docProps\/(?:app\.xml|thumbnail\..*)$|^customXml\/|^_xmlsignatures\//,
  /\/(?:theme|fonts|printerSettings|tags|activeX|webextensions|glossary)\/|\/vbaData\.xml$|\/vbaProjectSignature/,
  /^word\/(?:styles|stylesWithEffects|settings|webSettings|fontTable|numbering|people|comments[A-Z]\w+)\.xml$/,
  /^word\/(?:attachedToolbars|customizations)|^word\/documenttasks\//,
  /\/charts\/(?:style|colors)\d*\.xml$|\/diagrams\/(?!data)/,
  /^xl\/(?:calcChain|metadata|connections|volatileDependencies)\.(?:xml|bin)$/,
  /^xl\/(?:richData|persons|tables|queryTables|slicers|slicerCaches|timelines|timelineCaches|pivotTables)\//,
  /^xl\/(?:pivotCache\/pivotCacheDefinition|featurePropertyBag\/|worksheets\/binaryIndex|customProperty)/,
  /^ppt\/(?:presProps|viewProps|tableStyles|commentAuthors|authors|revisionInfo)\.xml$/,
  /^ppt\/(?:handoutMasters|notesMasters|changesInfos)\//,
];
/** So many names of unknown parts are told. */
const MAX_NAMES = 10;

/**
 * Accounts for every part of a file that is a package of parts: it is read, a known kind without text, or named in a
 * warning. So a kind of part that no reader knows yet is told, too.
 * @param names the names of all parts of the file
 * @param read whether the text of a part is extracted
 */
export function partLosses(names: readonly string[], read: (name: string) => boolean): Warning[] {
  const unread = names.filter((name) => !read(name));
  const lost = LOST.flatMap(([pattern, code, what]) =>
    counted(unread.filter((name) => pattern.test(name)).length, code, what),
  );
  return [...lost, ...unknownParts(unread)];
}

function unknownParts(unread: readonly string[]): Warning[] {
  const known = [...LOST.map(([pattern]) => pattern), ...WITHOUT_TEXT, PICTURE];
  const unknown = unread.filter((name) => !known.some((pattern) => pattern.test(name)));
  const place = `${unknown.slice(0, MAX_NAMES).join(', ')}${unknown.length > MAX_NAMES ? ' …' : ''}`;
  return counted(unknown.length, 'parts_left_out', 'parts of the file that are not read').map((warning) => ({
    ...warning,
    place,
  }));
}

/** @param read the number of charts whose titles and values are part of the text */
export const chartLosses = (read: number): Warning[] =>
  counted(read, 'charts_left_out', 'of charts only titles and values are read');

/** @param count the number of pictures that the text has no description of */
export const picturesLeftOut = (count: number): Warning[] =>
  counted(Math.max(0, count), 'pictures_left_out', 'pictures are left out');
