import { crc32 } from 'node:zlib';
import iconv from 'iconv-lite';
import { strToU8, zipSync } from 'fflate';
import { SkippedFiles } from './junk.js';
import type { ArchiveLimits } from './archive.js';
import { readZip as read } from './zip-archive.js';

interface RawEntry {
  name: Buffer;
  extra?: Buffer;
  content?: string;
}

/** An archive of stored files whose names are taken as bytes, without the UTF-8 flag. */
function rawZip(entries: RawEntry[], zip64 = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, extra = Buffer.alloc(0), content = 'x' } of entries) {
    const data = Buffer.from(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, data]);
    const sizes = Buffer.alloc(20);
    sizes.writeUInt16LE(1, 0);
    sizes.writeUInt16LE(16, 2);
    sizes.writeBigUInt64LE(BigInt(data.length), 4);
    sizes.writeBigUInt64LE(BigInt(data.length), 12);
    if (zip64) fields.fill(0xff, 14, 22);
    const extras = zip64 ? Buffer.concat([sizes, extra]) : extra;
    fields.writeUInt16LE(extras.length, 24);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, place, name, extras]));
    parts.push(local);
    offset += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(offset, 16);
  if (!zip64) return Buffer.concat([...parts, directoryBytes, end]);
  end.fill(0xff, 8, 20);
  const end64 = Buffer.alloc(56);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(entries.length), 24);
  end64.writeBigUInt64LE(BigInt(entries.length), 32);
  end64.writeBigUInt64LE(BigInt(directoryBytes.length), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(offset + directoryBytes.length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([...parts, directoryBytes, end64, locator, end]);
}

const LIMITS = { max_files: 5, max_bytes: 20_000_000, max_ratio: 200 };
const zip = (files: Record<string, string | Uint8Array>, level: 0 | 9 = 9) =>
  Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([k, v]) => [k, typeof v === 'string' ? strToU8(v) : v])), {
      level,
    }),
  );
const readArchive = (bytes: Buffer, limits: ArchiveLimits, skipped = new SkippedFiles()) =>
  read(bytes, limits, skipped);
const failure = async (work: () => Promise<unknown>) => {
  try {
    await work();
  } catch (error) {
    return (error as { problem: { code: string; detail: string } }).problem;
  }
  throw new Error('nothing was thrown');
};

describe('an archive', () => {
  it.each([0, 9] as const)('returns its files (level %d)', async (level) => {
    const text = 'größe '.repeat(1000);
    const entries = await readArchive(zip({ 'a/b.md': text, 'c.md': '', 'メモ.md': 'x' }, level), LIMITS);
    expect(entries.map(({ path }) => path)).toEqual(['a/b.md', 'c.md', 'メモ.md']);
    expect((await Promise.all(entries.map((entry) => entry.bytes()))).map(String)).toEqual([text, '', 'x']);
  });

  it('skips folders and junk, lists the junk, and normalises names', async () => {
    const junk = [
      '__MACOSX/a/._b',
      'a/.DS_Store',
      '.git/config',
      '.git/objects/1',
      'v/.obsidian/x.js',
      '.trash/old.md',
    ];
    const more = ['node_modules/p/readme.md', 'a/._note.md', 'Thumbs.db'];
    const files = ['a/', ...junk, ...more, 'u\u0308.md', '.github/kept.md', 'a/gitignore', 'notes/trash.md'];
    const skipped = new SkippedFiles();
    const entries = await readArchive(zip(Object.fromEntries(files.map((file) => [file, 'x']))), LIMITS, skipped);
    expect(entries.map(({ path }) => path)).toEqual(['ü.md', '.github/kept.md', 'a/gitignore', 'notes/trash.md']);
    expect(skipped.list().map(({ path, entries: count }) => [path, count])).toEqual([
      ['__MACOSX/', 1],
      ['a/.DS_Store', 1],
      ['.git/', 2],
      ['v/.obsidian/', 1],
      ['.trash/', 1],
      ['node_modules/', 1],
      ['a/._note.md', 1],
      ['Thumbs.db', 1],
    ]);
  });

  it.each([
    ['code page 437', 'cp437', ['Größe.md', 'Grüße.md', 'Äpfel.md', 'cafés/ñandú.md']],
    ['code page 866', 'cp866', ['Отчёт.md', 'заметки.md']],
    ['GBK', 'gbk', ['报告.md', '会议记录.md', '购物清单.md', '笔记.md']],
    ['Shift_JIS', 'shiftjis', ['メモ.md', '議事録.md', '表.md']],
    ['EUC-KR', 'euc-kr', ['회의록.md', '노트.md']],
    ['UTF-8 without the flag', 'utf8', ['Größe.md', '笔记.md']],
  ])('reads names in %s, which the archive does not state', async (_what, charset, names) => {
    const bytes = rawZip(names.map((name) => ({ name: iconv.encode(name, charset) })));
    expect((await readArchive(bytes, LIMITS)).map(({ path }) => path)).toEqual(names);
  });

  it('prefers the Unicode path field of Info-ZIP to the bytes of a name, where its checksum fits', async () => {
    const name = Buffer.from('Gr?n.md');
    const field = (of: Buffer) => {
      const data = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), Buffer.from('Grün.md')]);
      data.writeUInt32LE(crc32(of), 1);
      return Buffer.concat([Buffer.from([0x75, 0x70, data.length, 0]), data]);
    };
    const bytes = rawZip([
      { name, extra: field(name) },
      { name, extra: field(Buffer.from('other.md')) },
    ]);
    expect((await readArchive(bytes, LIMITS)).map(({ path }) => path)).toEqual(['Grün.md', 'Gr?n.md']);
  });

  it('reads Zip64', async () => {
    const [entry] = await readArchive(rawZip([{ name: Buffer.from('a.md'), content: 'the text' }], true), LIMITS);
    expect(String(await entry?.bytes())).toBe('the text');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('# No archive, but long enough to hold one')],
    ['one cut short', zip({ 'a.md': 'x'.repeat(100) }).subarray(0, 90)],
  ])('is refused where it is %s', async (_what, bytes) => {
    expect(await failure(() => readArchive(bytes, LIMITS))).toMatchObject({ code: 'invalid_archive' });
  });

  it('is refused where it contains too much', async () => {
    const many = zip(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.md`, 'x'])));
    expect(await failure(() => readArchive(many, LIMITS))).toMatchObject({ code: 'archive_too_large' });
    const large = zip({ 'a.md': new Uint8Array(15_000_000), 'b.md': new Uint8Array(15_000_000) });
    expect(await failure(() => readArchive(large, LIMITS))).toMatchObject({ code: 'archive_too_large' });
  });

  it('does not unpack a zip bomb', async () => {
    const [bomb] = await readArchive(zip({ 'a.md': new Uint8Array(15_000_000) }), LIMITS);
    await expect(bomb?.bytes()).rejects.toMatchObject({ problem: { code: 'broken_entry' } });
  });

  it('does not unpack more than its directory states, whatever the data contain', async () => {
    const bytes = zip({ 'a.md': 'x'.repeat(100_000) });
    const directory = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    bytes.writeUInt32LE(10, directory + 24);
    await expect((await readArchive(bytes, LIMITS))[0]?.bytes()).rejects.toMatchObject({
      problem: { code: 'broken_entry', detail: expect.stringContaining('damaged') },
    });
  });

  it('distinguishes a damaged file from the others', async () => {
    const bytes = zip({ 'a.md': 'first text', 'b.md': 'second text' }, 0);
    bytes[bytes.indexOf('first')] = 0x46;
    const [a, b] = await readArchive(bytes, LIMITS);
    await expect(a?.bytes()).rejects.toMatchObject({ problem: { detail: expect.stringContaining('checksum') } });
    expect(String(await b?.bytes())).toBe('second text');
  });

  it('names the features that are not supported', async () => {
    const encrypted = zip({ 'a.md': 'x' });
    const directory = encrypted.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    encrypted.writeUInt16LE(1, directory + 8);
    await expect((await readArchive(encrypted, LIMITS))[0]?.bytes()).rejects.toMatchObject({
      problem: { detail: expect.stringContaining('encrypted') },
    });
    const strange = zip({ 'a.md': 'x' });
    strange.writeUInt16LE(93, directory + 10);
    await expect((await readArchive(strange, LIMITS))[0]?.bytes()).rejects.toMatchObject({
      problem: { detail: expect.stringContaining('method 93') },
    });
  });
});
