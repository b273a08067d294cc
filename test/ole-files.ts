import * as xlsx from '@e965/xlsx';

interface Container {
  readonly entries: unknown;
}
const cfb = xlsx.CFB as unknown as {
  utils: { cfb_new: () => Container; cfb_add: (container: Container, path: string, content: Buffer) => void };
  write: (container: Container, options: { type: 'buffer' }) => Buffer;
};

/** An OLE file (MS-CFB) with these streams by their paths. */
export function oleFile(streams: Record<string, Buffer>): Buffer {
  const container = cfb.utils.cfb_new();
  for (const [path, content] of Object.entries(streams)) cfb.utils.cfb_add(container, `/${path}`, content);
  return cfb.write(container, { type: 'buffer' });
}

const wide = (text: string) => Buffer.from(text, 'utf16le');

/** A message of Outlook with one recipient and one attachment (MS-OXMSG). */
export function msg(
  subject: string,
  body: string,
  attachment: { name: string; type: string; content: string },
): Buffer {
  const recipient = '__recip_version1.0_#00000000/';
  const attached = '__attach_version1.0_#00000000/';
  const toRecipient = Buffer.alloc(24);
  toRecipient.writeUInt32LE(0x0c15_0003, 8);
  toRecipient.writeUInt32LE(1, 16);
  return oleFile({
    '__nameid_version1.0/__substg1.0_00020102': Buffer.alloc(16),
    '__properties_version1.0': Buffer.alloc(32),
    '__substg1.0_0037001F': wide(subject),
    '__substg1.0_1000001F': wide(body),
    '__substg1.0_0C1A001F': wide('Ada'),
    '__substg1.0_0C1F001F': wide('ada@example.com'),
    [`${recipient}__properties_version1.0`]: toRecipient,
    [`${recipient}__substg1.0_3001001F`]: wide('Bob'),
    [`${recipient}__substg1.0_39FE001F`]: wide('bob@example.com'),
    [`${attached}__properties_version1.0`]: Buffer.alloc(8),
    [`${attached}__substg1.0_3707001F`]: wide(attachment.name),
    [`${attached}__substg1.0_370E001F`]: wide(attachment.type),
    [`${attached}__substg1.0_37010102`]: Buffer.from(attachment.content),
  });
}

const TEXT_AT = 0x600;

/** A document of Word 97 with a text in one piece (MS-DOC, 2.5 and 2.9.38). */
export function doc(text: string): Buffer {
  const head = Buffer.alloc(TEXT_AT);
  head.writeUInt16LE(0xa5ec, 0);
  // The table is in the stream 1Table.
  head.writeUInt16LE(0x0200, 0xa);
  head.writeUInt32LE(TEXT_AT, 0x18);
  head.writeUInt32LE(text.length, 0x4c);
  const pieces = Buffer.alloc(5 + 16);
  pieces.writeUInt8(2, 0);
  pieces.writeUInt32LE(16, 1);
  pieces.writeUInt32LE(text.length, 5 + 4);
  pieces.writeUInt32LE(TEXT_AT, 5 + 8 + 2);
  head.writeUInt32LE(0, 0x1a2);
  head.writeUInt32LE(pieces.length, 0x1a6);
  // A stream below 4096 bytes would be stored in the mini stream, where Word does not put it.
  return oleFile({
    WordDocument: Buffer.concat([head, wide(text), Buffer.alloc(4096)]),
    '1Table': Buffer.concat([pieces, Buffer.alloc(4096)]),
  });
}

/** An XLS workbook (BIFF8). */
export function xls(name: string, rows: (string | number)[][]): Buffer {
  const book = xlsx.utils.book_new();
  xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(rows), name);
  return xlsx.write(book, { type: 'buffer', bookType: 'biff8' }) as Buffer;
}
