import type { Warning } from '../../../../../contract/warning.contract.ts';
import { type Attachment, counted } from '../extracted.ts';
import { htmlToText } from './html.ts';

/** An e-mail, independent of the file format. */
export interface Mail {
  subject: string;
  /** `From`, `To`, `Cc`, `Bcc`, `Reply-To` and `Date`, in this order; empty ones are left out. */
  head: [name: string, value: string][];
  plain: string;
  html: string;
  attachments: Attachment[];
  /** Pictures that belong to the layout of the HTML body. */
  inlinePictures: number;
}

/** The plain text stands beside an HTML body that lacks more of its words than this share, and this number. */
const MAX_MISSING = { share: 0.05, words: 3 };
const ADDRESS = /\bhttps?:\S+/g;

/** The subject as a heading, then the header fields, then the body. */
export function mailText(mail: Mail): { text: string; warnings: Warning[] } {
  const { subject, head } = mail;
  const body = bodyOf(mail);
  const lines = head.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`);
  const parts = [subject === '' ? '' : `# ${subject}`, lines.join('\n'), body.text];
  return { text: parts.filter((part) => part !== '').join('\n\n'), warnings: body.warnings };
}

/**
 * The plain text, or the HTML where that says more: many programs write a plain text that only says that there is HTML.
 * Both where each says what the other does not.
 */
function bodyOf({ plain, html }: Mail): { text: string; warnings: Warning[] } {
  const written = plain.trim();
  if (html.trim() === '') return { text: written, warnings: [] };
  const read = htmlToText(html);
  if (written === '' || read.text === '') return written === '' ? read : { text: written, warnings: [] };
  if (missingWords(written, read.text) === 0) return { text: written, warnings: [] };
  const missing = missingWords(read.text, written);
  const isOther = missing >= MAX_MISSING.words && missing > wordsOf(written).size * MAX_MISSING.share;
  const text = isOther ? `${written}\n\n${read.text}` : read.text;
  return { text, warnings: read.warnings };
}

/** The number of words of another text that a text lacks. */
function missingWords(text: string, other: string): number {
  const own = wordsOf(text);
  return [...wordsOf(other)].filter((word) => !own.has(word)).length;
}

/** Without addresses, which only a plain text shows. */
const wordsOf = (text: string) =>
  new Set(
    text
      .replaceAll(ADDRESS, ' ')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  );

export function mailLosses(mails: readonly Mail[]): Warning[] {
  const names = mails.flatMap(({ attachments }) => attachments.map(({ name }) => name));
  const pictures = mails.reduce((sum, { inlinePictures }) => sum + inlinePictures, 0);
  const shown = `${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}`;
  const detail = `the attachments are not part of the text: ${shown}`;
  return [
    ...(names.length === 0 ? [] : [{ code: 'attachments_apart' as const, detail, count: names.length }]),
    ...counted(pictures, 'pictures_left_out', 'pictures in the layout are left out'),
  ];
}
