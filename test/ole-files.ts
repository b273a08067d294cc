import * as xlsx from '@e965/xlsx';

interface Container {
  readonly FullPaths: string[];
  readonly FileIndex: { content: Uint8Array }[];
}
const cfb = xlsx.CFB as unknown as {
  read: (content: Uint8Array, options: { type: 'array' }) => Container;
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
  more: Record<string, Buffer> = {},
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
    ...more,
  });
}

const TEXT_AT = 0x600;

/** A document of Word 97 with a text in one piece (MS-DOC, 2.5 and 2.9.38), and further streams. */
export function doc(text: string, more: Record<string, Buffer> = {}): Buffer {
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
    ...more,
  });
}

/** An XLS workbook (BIFF8) with these records at the end of its sheet. */
export function xls(name: string, rows: (string | number)[][], records: readonly Buffer[] = []): Buffer {
  const book = xlsx.utils.book_new();
  xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet(rows), name);
  const file = xlsx.write(book, { type: 'buffer', bookType: 'biff8' }) as Buffer;
  if (records.length === 0) return file;
  const { FullPaths, FileIndex } = cfb.read(new Uint8Array(file), { type: 'array' });
  const stream = Buffer.from(FileIndex[FullPaths.findIndex((path) => path.endsWith('/Workbook'))]!.content);
  const end = stream.lastIndexOf(Buffer.from([0x0a, 0, 0, 0]));
  return oleFile({ Workbook: Buffer.concat([stream.subarray(0, end), ...records, stream.subarray(end)]) });
}

/** A record of an XLS (MS-XLS, 2.1.4). */
export function record(id: number, ...data: (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(data.map((part) => Buffer.from(part)));
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(content.length, 2);
  return Buffer.concat([head, content]);
}

/** A stream `SummaryInformation` (MS-OLEPS, 2.21) with these properties, in UTF-16. */
export function summary(properties: Record<number, string>): Buffer {
  const head = Buffer.alloc(48);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt32LE(1, 24);
  head.writeUInt32LE(48, 44);
  const entries = Object.entries(properties);
  const places = Buffer.alloc(8 + 8 * entries.length);
  places.writeUInt32LE(entries.length, 4);
  const values: Buffer[] = [];
  let at = places.length;
  entries.forEach(([id, text], n) => {
    const value = Buffer.concat([Buffer.alloc(8), wide(`${text}\0`)]);
    value.writeUInt16LE(31, 0);
    value.writeUInt32LE(text.length + 1, 4);
    places.writeUInt32LE(Number(id), 8 + 8 * n);
    places.writeUInt32LE(at, 12 + 8 * n);
    values.push(value);
    at += value.length;
  });
  return Buffer.concat([head, places, ...values]);
}

/** RTF as a message keeps it, without compression (MS-OXRTFCP, 2.1.3.1.5). */
export function storedRtf(rtf: string): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(rtf.length + 12, 0);
  head.writeUInt32LE(rtf.length, 4);
  head.write('MELA', 8, 'latin1');
  return Buffer.concat([head, Buffer.from(rtf, 'latin1')]);
}
