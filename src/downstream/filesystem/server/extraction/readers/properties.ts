import type { Page } from '../extracted.ts';
import { readXml } from './xml.ts';

/** What a file says about itself, by the names that the text gives them. */
export type Property = readonly [name: string, value: string];

/** Titles that programs write by themselves. */
const DEFAULT_TITLE =
  /^(?:untitled|title|powerpoint presentation|microsoft (?:word|powerpoint|excel) - |.*\.(?:docx?|pptx?|xlsx?|odt|pdf|indd|tex|dvi|qxd)$)/i;

export const isDefaultTitle = (title: string): boolean => DEFAULT_TITLE.test(title);

/** One line for each property whose value the text does not contain, behind the text. */
export function withProperties(text: string, properties: readonly Property[]): string {
  const lines = linesOf(text, properties);
  return lines.length === 0 ? text : `${text.trim()}\n\n${lines.join('\n')}`;
}

/** Behind the text of the first page, because a property belongs to no page. */
export function pagesWithProperties(pages: readonly Page[], properties: readonly Property[]): Page[] {
  const [first, ...others] = pages;
  if (first === undefined) return [];
  const lines = linesOf(pages.map(({ text }) => text).join('\n'), properties);
  return [{ ...first, text: [first.text, lines.join('\n')].filter((part) => part !== '').join('\n\n') }, ...others];
}

function linesOf(text: string, properties: readonly Property[]): string[] {
  const known = oneLine(text);
  const lines = properties
    .map(([name, value]) => [name, oneLine(value)] as const)
    .filter(([name, value]) => value !== '' && !known.includes(value) && !(name === 'Title' && isDefaultTitle(value)))
    .map(([name, value]) => `${name}: ${value}`);
  return [...new Set(lines)];
}

/** Elements of `docProps/core.xml` (ECMA-376, part 2), and of `meta.xml` (OASIS ODF 1.3, part 3, 4.3). */
const NAMES: Record<string, string> = {
  'dc:title': 'Title',
  'dc:subject': 'Subject',
  'dc:creator': 'Author',
  'meta:initial-creator': 'Author',
  'cp:keywords': 'Keywords',
  'meta:keyword': 'Keywords',
  'dc:description': 'Description',
  'cp:category': 'Category',
};

/** The properties in a part of an Office Open XML or OpenDocument file, and those that its author named. */
export function propertiesOf(xml: string): Property[] {
  const properties: Property[] = [];
  let open: { element: string; name: string; value: string } | undefined;
  readXml(xml, {
    start(element, attributes) {
      const own = attributes['name'] ?? attributes['meta:name'];
      const name = element === 'property' || element === 'meta:user-defined' ? own : NAMES[element];
      if (name !== undefined && open === undefined) open = { element, name, value: '' };
    },
    text: (text) => open !== undefined && (open.value += text),
    end(element) {
      if (open?.element !== element) return;
      properties.push([open.name, open.value]);
      open = undefined;
    },
  });
  return properties;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
