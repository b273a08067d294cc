import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { SkippedFiles } from './junk.js';
import { readArchive } from './read-archive.js';

interface Entry {
  path: string;
  content?: string;
  type?: 'File' | 'Directory' | 'SymbolicLink';
  pax?: string;
}

function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = '', type = 'File', pax }) => {
    const record = ` path=${pax}\n`;
    const length = (Buffer.byteLength(record) + 2).toString();
    return [
      ...(pax === undefined ? [] : block('PaxHeader', `${length}${record}`, 'ExtendedHeader')),
      ...block(path, content, type),
    ];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function block(path: string, content: string, type: string): Buffer[] {
  const data = Buffer.from(content);
  const header = Buffer.alloc(512);
  new Header({
    path,
    size: data.length,
    type: type as 'File',
    mode: 0o644,
    mtime: new Date(0),
    linkpath: type === 'SymbolicLink' ? '/etc/passwd' : '',
  }).encode(header, 0);
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}

const LIMITS = { max_files: 5, max_bytes: 20_000_000, max_ratio: 200 };
const failure = (bytes: Buffer) =>
  readArchive(bytes, LIMITS, new SkippedFiles()).then(
    () => 'read',
    (error: { problem: { status: number; code: string } }) => [error.problem.status, error.problem.code],
  );

describe('a tar archive', () => {
  it.each([
    ['as it is', (tar: Buffer) => tar],
    ['packed by gzip', (tar: Buffer) => gzipSync(tar)],
  ])('gives its files back, %s', async (_what, packed) => {
    const text = 'größe '.repeat(50_000);
    const tar = tarOf([
      { path: './a/b.md', content: text },
      { path: 'c.md' },
      { path: 'x', pax: 'メモ.md', content: 'x' },
    ]);
    const entries = await readArchive(packed(tar), LIMITS, new SkippedFiles());
    expect(entries.map(({ path }) => path)).toEqual(['a/b.md', 'c.md', 'メモ.md']);
    expect((await Promise.all(entries.map((entry) => entry.bytes()))).map(String)).toEqual([text, '', 'x']);
  });

  it('skips folders, and lists the junk and the links that it skips', async () => {
    const skipped = new SkippedFiles();
    const tar = tarOf([
      { path: 'a/', type: 'Directory' },
      { path: 'a/._b', content: 'x' },
      { path: '.git/HEAD', content: 'x' },
      { path: 'passwd.txt', type: 'SymbolicLink' },
      { path: '../up.md', content: 'x' },
    ]);
    expect((await readArchive(tar, LIMITS, skipped)).map(({ path }) => path)).toEqual(['../up.md']);
    expect(skipped.list().map(({ path }) => path)).toEqual(['a/._b', '.git/', 'passwd.txt']);
  });

  it('is refused where it is damaged, truncated, or not a tar', async () => {
    const tar = tarOf([{ path: 'a.md', content: 'x'.repeat(5000) }]);
    const wrong = Buffer.from(tar);
    wrong[150] = 0x39;
    expect(await failure(wrong)).toEqual([400, 'invalid_archive']);
    expect(await failure(tar.subarray(0, 2000))).toEqual([400, 'invalid_archive']);
    expect(await failure(gzipSync(tar).subarray(0, 60))).toEqual([400, 'invalid_archive']);
    expect(await failure(gzipSync('only a text'))).toEqual([400, 'invalid_archive']);
  });

  it('is refused where it contains or unpacks to too much', async () => {
    const many = tarOf(Array.from({ length: 6 }, (_, i) => ({ path: `${i}.md`, content: 'x' })));
    expect(await failure(many)).toEqual([413, 'archive_too_large']);
    const large = tarOf([{ path: 'a', content: 'x'.repeat(21_000_000) }]);
    expect(await failure(large)).toEqual([413, 'archive_too_large']);
    expect(await failure(gzipSync(large))).toEqual([413, 'archive_too_large']);
    const bomb = Buffer.concat([
      tarOf([{ path: 'a', content: 'x' }]).subarray(0, 1024),
      Buffer.alloc(100_000_000, 'a'),
    ]);
    expect(await failure(gzipSync(bomb))).toEqual([400, 'invalid_archive']);
    expect(await failure(gzipSync(Buffer.alloc(100_000_000)))).toEqual([400, 'invalid_archive']);
  });
});
