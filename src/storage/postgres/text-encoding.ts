/** U+001A followed by 0 stands for U+0000, and followed by 1 for U+001A itself. */
const ESCAPE = '\x1a';

/**
 * PostgreSQL cannot store U+0000, which texts of people may hold: such a text is stored in this form. A text without
 * U+0000 and U+001A stays as it is.
 */
export function encodedText(text: string): string {
  if (!/[\0\x1a]/.test(text)) return text;
  return text.replace(/[\0\x1a]/g, (character) => ESCAPE + (character === '\0' ? '0' : '1'));
}

export function decodedText(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return text.replace(/\x1a([01])/g, (_, kind) => (kind === '0' ? '\0' : ESCAPE));
}
