import type { Warning } from '../../../../../contract/warning.contract.ts';
import { type Attachment, counted } from '../extracted.ts';
import { htmlToText } from './html.ts';

/** An e-mail, independent of the file format. */
export interface Mail {
  subject: string;
  /** `From`, `To`, `Cc` and `Date`, in this order; empty ones are left out. */
  head: [name: string, value: string][];
  plain: string;
  html: string;
  attachments: Attachment[];
  /** Pictures that belong to the layout of the HTML body. */
  inlinePictures: number;
}

/**
 * The subject as a heading, then the header fields, then the body: its plain text, or its HTML where it has no plain
 * text.
 */
export function mailText({ subject, head, plain, html }: Mail): { text: string; warnings: Warning[] } {
  const body = plain.trim() === '' ? htmlToText(html) : { text: plain.trim(), warnings: [] };
  const lines = head.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`);
  const parts = [subject === '' ? '' : `# ${subject}`, lines.join('\n'), body.text];
  return { text: parts.filter((part) => part !== '').join('\n\n'), warnings: body.warnings };
}

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
