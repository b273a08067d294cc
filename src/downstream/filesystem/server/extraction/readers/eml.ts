import PostalMime, { type Address, type Attachment as MimePart } from 'postal-mime';
import type { Attachment, Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { type Mail, mailLosses, mailText } from './mail.ts';

/** One message (RFC 5322). */
export async function fromEml(content: Uint8Array): Promise<Extracted> {
  const mail = await parseMail(content);
  const { text, warnings } = mailText(mail);
  return { text, warnings: [...warnings, ...mailLosses([mail])], attachments: mail.attachments };
}

/** A web page with its resources, as browsers save it (RFC 2557). */
export async function fromMhtml(content: Uint8Array): Promise<Extracted> {
  const { html, plain } = await parseMail(content);
  if (html === '') throw new Fault('it is not MHTML: it holds no HTML');
  return mailText({ subject: '', head: [], plain: '', html: html || plain, attachments: [], inlinePictures: 0 });
}

/** An attached message is part of the text of the outer one. */
export async function parseMail(content: Uint8Array): Promise<Mail> {
  const mail = await PostalMime.parse(content);
  const isPicture = ({ mimeType, related, disposition }: MimePart) =>
    mimeType.startsWith('image/') && (related === true || disposition === 'inline');
  return {
    subject: mail.subject ?? '',
    head: [
      ['From', mail.from === undefined ? '' : addresses([mail.from])],
      ['To', addresses(mail.to)],
      ['Cc', addresses(mail.cc)],
      ['Date', mail.date ?? ''],
    ],
    plain: mail.text ?? '',
    html: mail.html ?? '',
    attachments: mail.attachments.filter((part) => !isPicture(part)).map(attachmentOf),
    inlinePictures: mail.attachments.filter(isPicture).length,
  };
}

function attachmentOf({ filename, mimeType, content }: MimePart): Attachment {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content);
  return { name: filename ?? `attachment.${mimeType.split('/')[1]}`, mediaType: mimeType, content: bytes };
}

function addresses(list: readonly Address[] | undefined): string {
  const flat = (list ?? []).flatMap((entry) => (entry.group === undefined ? [entry] : entry.group));
  return flat.map(({ name, address }) => (name === '' ? (address ?? '') : `${name} <${address ?? ''}>`)).join(', ');
}
