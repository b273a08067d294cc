/** A code of a header or footer of a sheet (ECMA-376, part 1, 18.3.1.46): a font, a colour, a size, a style or a field. */
const CODE = /&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d+|(&)|([LCR])|.)/gi;

/** The text that was written into a header or footer; empty where it has nothing but fields, such as the page number. */
export function marginText(coded: string): string {
  const text = coded
    .replaceAll(CODE, (_code, ampersand?: string, section?: string) => ampersand ?? (section === undefined ? '' : '\n'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /\p{L}/u.test(line));
  // What stands beside the number of a page in any language is one word.
  const isNumbering = /&P/i.test(coded) && text.every((line) => !/\s\p{L}{4}/u.test(line));
  return isNumbering ? '' : text.join('\n');
}

const MARGIN = /<(?:odd|even|first)(?:Header|Footer)\b[^>]*>([^<]*)</g;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The headers and footers of a worksheet part: its element `headerFooter` is behind the cells. */
export function sheetMargins(part: Uint8Array): string[] {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const at = bytes.lastIndexOf('<headerFooter');
  if (at === -1) return [];
  return [...bytes.toString('utf8', at).matchAll(MARGIN)]
    .map(([, coded = '']) => coded.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_all, name: string) => ENTITIES[name] ?? ''))
    .map(marginText)
    .filter((text) => text !== '');
}
