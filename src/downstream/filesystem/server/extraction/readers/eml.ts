import PostalMime, { type Address, type Attachment as MimePart } from 'postal-mime';
import { type Attachment, counted, type Extracted } from '../extracted.ts';
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
  const mail = await parseMail(content);
  if (mail.html === '') throw new Fault('it is not MHTML: it holds no HTML');
  const { text, warnings } = mailText({ ...mail, subject: '', head: [], plain: '' });
  const others = mail.attachments.filter(({ mediaType }) => !LAYOUT.test(mediaType)).length;
  const left = counted(others, 'embedded_files_left_out', 'other files of the page are left out');
  return { text, warnings: [...warnings, ...left] };
}

/** The files of a page that say how it looks; its pictures are told where they have no description. */
const LAYOUT = /^(?:image|font|audio|video)\/|^text\/(?:css|javascript)|javascript$|^application\/(?:x-)?font/;

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
      ['Bcc', addresses(mail.bcc)],
      ['Reply-To', addresses(mail.replyTo)],
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
  return { name: filename ?? unnamed(mimeType), mediaType: mimeType, content: bytes };
}

/** An invitation is a part without a name. */
const unnamed = (type: string) => (type === 'text/calendar' ? 'invitation.ics' : `attachment.${type.split('/')[1]}`);

function addresses(list: readonly Address[] | undefined): string {
  const flat = (list ?? []).flatMap((entry) => (entry.group === undefined ? [entry] : entry.group));
  return flat.map(({ name, address }) => (name === '' ? (address ?? '') : `${name} <${address ?? ''}>`)).join(', ');
}
