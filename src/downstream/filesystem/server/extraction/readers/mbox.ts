import { counted, type Extracted, summed } from '../extracted.ts';
import { parseMail } from './eml.ts';
import { Fault } from './fault.ts';
import { type Mail, mailLosses, mailText } from './mail.ts';

/** The line before each message (RFC 4155): `From ` with a sender and a time that ends with the year, or with a zone. */
const SEPARATOR = /(?:^|\r?\n\r?\n)(?=From \S[^\n]*\d{4}(?: [-+]\d{4})?\s*?\n[\x21-\x39\x3b-\x7e]+:)/g;
const FROM_LINE = /^From [^\n]*\n/;
/** A line of a message that looks like a separator is written with a `>` before it (mboxrd). */
const QUOTED_FROM = /^>(>*From )/gm;

/** Every message as a section of its own, under its subject. */
export async function fromMbox(content: Uint8Array): Promise<Extracted> {
  const source = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const parts = source.split(SEPARATOR);
  const messages = parts.filter((message) => FROM_LINE.test(message));
  if (messages.length === 0) throw new Fault('it is not an MBOX: no line begins with "From " and ends with a year');
  const mails: Mail[] = [];
  let unreadable = parts.filter((part) => !FROM_LINE.test(part) && part.trim() !== '').length;
  for (const message of messages) {
    const bytes = Buffer.from(message.replace(FROM_LINE, '').replaceAll(QUOTED_FROM, '$1'), 'latin1');
    const mail = await parseMail(new Uint8Array(bytes)).catch(() => undefined);
    if (mail === undefined) unreadable++;
    else mails.push(mail);
  }
  const read = mails.map(mailText);
  return {
    text: read.map(({ text }) => text).join('\n\n'),
    warnings: [
      ...mailLosses(mails),
      ...summed(read.flatMap((mail) => mail.warnings)),
      ...counted(unreadable, 'messages_unreadable', 'messages are damaged and were left out'),
    ],
    attachments: mails.flatMap(({ attachments }) => attachments),
  };
}
