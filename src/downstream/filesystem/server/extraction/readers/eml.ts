import PostalMime, { type Address } from 'postal-mime';
import type { DecodedText } from '../charset.ts';
import { htmlToText } from './html.ts';

/** The subject as heading, then sender, recipients and date, then the body: its plain text, or its HTML where it has no other. */
export async function fromEml(content: Uint8Array): Promise<DecodedText> {
  const mail = await PostalMime.parse(content);
  const plain = mail.text?.trim() ?? '';
  const body = plain === '' ? htmlToText(mail.html ?? '') : { text: plain, warnings: [] };
  const head = [
    line('From', mail.from === undefined ? '' : addresses([mail.from])),
    line('To', addresses(mail.to)),
    line('Cc', addresses(mail.cc)),
    line('Date', mail.date),
  ];
  const parts = [line('#', mail.subject).replace('#:', '#'), head.filter((text) => text !== '').join('\n'), body.text];
  const names = mail.attachments.map(({ filename, mimeType }) => filename ?? mimeType);
  const detail = `the attachments are left out: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}`;
  const left = names.length === 0 ? [] : [{ code: 'attachments_left_out', detail, count: names.length }];
  return { text: parts.filter((part) => part !== '').join('\n\n'), warnings: [...body.warnings, ...left] };
}

const line = (name: string, value: string | undefined) =>
  value === undefined || value === '' ? '' : `${name}: ${value}`;

function addresses(list: readonly Address[] | undefined): string {
  const flat = (list ?? []).flatMap((entry) => (entry.group === undefined ? [entry] : entry.group));
  return flat.map(({ name, address }) => (name === '' ? (address ?? '') : `${name} <${address ?? ''}>`)).join(', ');
}
