import { strToU8, zipSync } from 'fflate';
import { readArchive } from './zip-archive.js';

const LIMITS = { max_files: 5, max_bytes: 20_000_000, max_ratio: 200 };
const zip = (files: Record<string, string | Uint8Array>, level: 0 | 9 = 9) =>
  Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([k, v]) => [k, typeof v === 'string' ? strToU8(v) : v])), {
      level,
    }),
  );
const failure = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as { problem: { code: string; detail: string } }).problem;
  }
  throw new Error('nothing was thrown');
};

describe('an archive', () => {
  it.each([0, 9] as const)('gives its files back (level %d)', async (level) => {
    const text = 'größe '.repeat(1000);
    const entries = readArchive(zip({ 'a/b.md': text, 'c.md': '', 'メモ.md': 'x' }, level), LIMITS);
    expect(entries.map(({ path }) => path)).toEqual(['a/b.md', 'c.md', 'メモ.md']);
    expect((await Promise.all(entries.map((entry) => entry.bytes()))).map(String)).toEqual([text, '', 'x']);
  });

  it('leaves out folders and what macOS adds, and composes its names', () => {
    const entries = readArchive(
      zip({ 'a/': '', '__MACOSX/a/._b': 'x', 'a/.DS_Store': 'x', 'u\u0308.md': 'x' }),
      LIMITS,
    );
    expect(entries.map(({ path }) => path)).toEqual(['ü.md']);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('# No archive, but long enough to hold one')],
    ['one cut short', zip({ 'a.md': 'x'.repeat(100) }).subarray(0, 90)],
  ])('is refused where it is %s', (_what, bytes) => {
    expect(failure(() => readArchive(bytes, LIMITS))).toMatchObject({ code: 'invalid_archive' });
  });

  it('is refused where it holds too much', () => {
    const many = zip(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.md`, 'x'])));
    expect(failure(() => readArchive(many, LIMITS))).toMatchObject({ code: 'archive_too_large' });
    const large = zip({ 'a.md': new Uint8Array(15_000_000), 'b.md': new Uint8Array(15_000_000) });
    expect(failure(() => readArchive(large, LIMITS))).toMatchObject({ code: 'archive_too_large' });
  });

  it('does not unpack a bomb', async () => {
    const [bomb] = readArchive(zip({ 'a.md': new Uint8Array(15_000_000) }), LIMITS);
    await expect(bomb?.bytes()).rejects.toMatchObject({ problem: { code: 'broken_entry' } });
  });

  it('does not unpack more than its directory says, whatever the data holds', async () => {
    const bytes = zip({ 'a.md': 'x'.repeat(100_000) });
    const directory = bytes.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    bytes.writeUInt32LE(10, directory + 24);
    await expect(readArchive(bytes, LIMITS)[0]?.bytes()).rejects.toMatchObject({
      problem: { code: 'broken_entry', detail: expect.stringContaining('damaged') },
    });
  });

  it('tells a damaged file from its neighbours', async () => {
    const bytes = zip({ 'a.md': 'first text', 'b.md': 'second text' }, 0);
    bytes[bytes.indexOf('first')] = 0x46;
    const [a, b] = readArchive(bytes, LIMITS);
    await expect(a?.bytes()).rejects.toMatchObject({ problem: { detail: expect.stringContaining('checksum') } });
    expect(String(await b?.bytes())).toBe('second text');
  });

  it('says what it does not read', async () => {
    const encrypted = zip({ 'a.md': 'x' });
    const directory = encrypted.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    encrypted.writeUInt16LE(1, directory + 8);
    await expect(readArchive(encrypted, LIMITS)[0]?.bytes()).rejects.toMatchObject({
      problem: { detail: expect.stringContaining('encrypted') },
    });
    const strange = zip({ 'a.md': 'x' });
    strange.writeUInt16LE(93, directory + 10);
    await expect(readArchive(strange, LIMITS)[0]?.bytes()).rejects.toMatchObject({
      problem: { detail: expect.stringContaining('method 93') },
    });
  });
});
