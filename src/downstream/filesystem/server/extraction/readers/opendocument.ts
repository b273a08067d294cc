import type { Warning } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { type Parts, partsOf } from './zip-parts.ts';

export interface OpenDocument extends Parts {
  /** The part `content.xml`. */
  content: string;
}

/** Unpacks an OpenDocument file (OASIS ODF 1.3, part 2). @throws Fault */
export function openDocument(content: Uint8Array, format: string, maxTextBytes: number): OpenDocument {
  const parts = partsOf(content, format, /^(?:content|styles)\.xml$|^META-INF\/manifest\.xml$/, maxTextBytes);
  if (parts.text('META-INF/manifest.xml').includes('encryption-data')) {
    throw new Fault('it is protected by a password');
  }
  const body = parts.text('content.xml');
  if (body === '') throw new Fault(`it is not ${format}: it has no content.xml`);
  return { ...parts, content: body };
}

export function openDocumentLosses({ names, content }: OpenDocument): Warning[] {
  const isMacro = (name: string) => /^Basic\/.+\.xml$/.test(name) && !/script-l[bc]\.xml$/.test(name);
  return [
    ...counted(
      content.match(/<text:deletion\b/g)?.length ?? 0,
      'deletions_left_out',
      'tracked deletions are left out; insertions are in',
    ),
    ...counted(
      names.filter((name) => /^Object [^/]+\/content\.xml$/.test(name)).length,
      'embedded_files_left_out',
      'charts or other embedded objects are left out',
    ),
    ...counted(names.filter(isMacro).length, 'macros_left_out', 'macros are left out'),
  ];
}

/** The names of styles with a property, such as `table:display` with the value `false`. */
export function stylesWith(content: string, property: string, value: string): Set<string> {
  const styles = content.match(/<style:style\b[^>]*>.*?<\/style:style>/gs) ?? [];
  const having = styles.filter((style) => style.includes(`${property}="${value}"`));
  return new Set(having.map((style) => /style:name="([^"]*)"/.exec(style)?.[1] ?? ''));
}
