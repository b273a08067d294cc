import { decompressRTF } from '@kenjiuno/decompressrtf';
import msgreader, { type FieldsData } from '@kenjiuno/msgreader';
import type { Attachment, Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { type Mail, mailLosses, mailText } from './mail.ts';
import { fromRtf } from './rtf.ts';

// The package is CommonJS: its default export is a property of the imported object.
const MsgReader = msgreader.default;

/** A message of Outlook (MS-OXMSG). */
export function fromMsg(content: Uint8Array): Extracted {
  if (content[0] !== 0xd0) throw new Fault('it is not an MSG: these are OLE files');
  const reader = new MsgReader(content.slice().buffer);
  const fields = reader.getFileData();
  if (fields.error !== undefined) throw new Fault(`it is not an MSG that can be read (${fields.error})`);
  const mail: Mail = { ...messageOf(fields), ...attachmentsOf(reader, fields) };
  const { text, warnings } = mailText(mail);
  return { text, warnings: [...warnings, ...mailLosses([mail])], attachments: mail.attachments };
}

function messageOf(fields: FieldsData): Omit<Mail, 'attachments' | 'inlinePictures'> {
  const { subject = '', body = '', bodyHtml, html, clientSubmitTime, messageDeliveryTime } = fields;
  const to = (type: string) =>
    (fields.recipients ?? [])
      .filter(({ recipType }) => recipType === type)
      .map(({ name = '', smtpAddress, email }) => personOf(name, smtpAddress ?? email))
      .join(', ');
  return {
    subject,
    head: [
      ['From', personOf(fields.senderName ?? '', fields.senderSmtpAddress ?? fields.senderEmail)],
      ['To', to('to')],
      ['Cc', to('cc')],
      ['Bcc', to('bcc')],
      ['Date', isoTime(clientSubmitTime ?? messageDeliveryTime)],
      ...appointmentOf(fields),
    ],
    plain: body || richBody(fields),
    html: bodyHtml ?? (html === undefined ? '' : new TextDecoder().decode(html)),
  };
}

/** Outlook keeps the body of some messages as RTF alone. RTF that encloses HTML comes with that HTML. */
function richBody({ compressedRtf, bodyHtml, html }: FieldsData): string {
  if (compressedRtf === undefined || bodyHtml !== undefined || html !== undefined) return '';
  const rtf = Uint8Array.from(decompressRTF([...compressedRtf]));
  const read = fromRtf(rtf);
  return 'text' in read ? read.text : '';
}

function appointmentOf({ apptStartWhole, apptEndWhole, apptLocation = '' }: FieldsData): [string, string][] {
  return [
    ['Start', isoTime(apptStartWhole)],
    ['End', isoTime(apptEndWhole)],
    ['Location', apptLocation],
  ];
}

function attachmentsOf(reader: InstanceType<typeof MsgReader>, fields: FieldsData) {
  const attachments: Attachment[] = [];
  let inlinePictures = 0;
  for (const attached of fields.attachments ?? []) {
    const { extension = '', attachmentHidden, attachMimeTag = '', innerMsgContent } = attached;
    if (attachmentHidden === true && /^\.(?:png|jpe?g|gif|bmp)$/i.test(extension)) inlinePictures++;
    else {
      const { fileName, content } = reader.getAttachment(attached);
      const mediaType = innerMsgContent === true ? 'application/vnd.ms-outlook' : attachMimeTag;
      attachments.push({ name: fileName, mediaType, content });
    }
  }
  return { attachments, inlinePictures };
}

function personOf(name: string, address = ''): string {
  if (name === '' || name === address) return address;
  // Addresses within an organisation are names in its directory.
  return address.includes('@') ? `${name} <${address}>` : name;
}

function isoTime(text: string | undefined): string {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
}
