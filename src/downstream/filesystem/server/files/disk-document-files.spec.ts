import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DiskDocumentFiles } from './disk-document-files.js';
import { DamagedFile, type DocumentFiles, type StoredFile } from './document-files.js';

describe('DiskDocumentFiles', () => {
  let dir: string;
  let root: string;
  let files: DocumentFiles;
  const key = { userId: 'ada', projectId: '../../..' };
  const content = Buffer.from('the text');
  const placeOf = ({ file }: StoredFile) => {
    const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((path) => path.endsWith(file));
    return join(root, found as string);
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-files-'));
    root = join(dir, 'files');
    files = new DiskDocumentFiles(root);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('stores each content in a file of its own, inside its folder for any ids', async () => {
    const first = await files.write(key, content);
    const second = await files.write(key, Buffer.from('another'));
    expect(await files.read(key, first)).toEqual(content);
    expect(await files.read(key, second)).toEqual(Buffer.from('another'));
    expect(dirname(dirname(dirname(placeOf(first))))).toBe(root);
    expect(statSync(placeOf(first)).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['files']);
  });

  it('returns a file only to its own project', async () => {
    const stored = await files.write(key, content);
    await expect(files.read({ ...key, userId: 'bob' }, stored)).rejects.toThrow(DamagedFile);
    await expect(files.read({ ...key, projectId: 'other' }, stored)).rejects.toThrow(DamagedFile);
  });

  it('never returns content that was not written', async () => {
    const stored = await files.write(key, content);
    const place = placeOf(stored);
    writeFileSync(place, 'the tex!');
    await expect(files.read(key, stored)).rejects.toThrow(/is not what was written/);
    rmSync(place);
    await expect(files.read(key, stored)).rejects.toThrow(/is missing/);
  });

  it('follows no link, neither for reading nor for writing', async () => {
    const stored = await files.write(key, content);
    const place = placeOf(stored);
    renameSync(place, join(dir, 'outside'));
    symlinkSync(join(dir, 'outside'), place);
    await expect(files.read(key, stored)).rejects.toThrow(/has become a link/);

    const folder = dirname(place);
    rmSync(folder, { recursive: true });
    mkdirSync(join(dir, 'elsewhere'));
    symlinkSync(join(dir, 'elsewhere'), folder);
    await expect(files.read(key, stored)).rejects.toThrow(/has become a link/);
    await expect(files.write(key, content)).rejects.toThrow(/has become a link/);
    expect(readdirSync(join(dir, 'elsewhere'))).toEqual([]);
  });

  it('removes files and whole projects', async () => {
    const first = await files.write(key, content);
    const place = placeOf(first);
    await files.write(key, content);
    await files.remove(key, [first.file, null, first.file]);
    expect(existsSync(place)).toBe(false);
    await files.removeProject(key);
    await files.removeProject(key);
    expect(existsSync(dirname(place))).toBe(false);
  });

  it('removes files without a row, and reports missing ones', async () => {
    const kept = await files.write(key, content);
    await files.write(key, content);
    await files.write({ userId: 'bob', projectId: 'gone' }, content);
    writeFileSync(`${placeOf(kept)}.tmp`, 'half a');
    const lost = { key, file: 'lost' };
    const { removed, missing } = await files.sweep([{ key, file: kept.file }, lost]);
    expect(removed).toBe(3);
    expect(missing).toEqual([join(dirname(placeOf(kept)), 'lost')]);
    expect(await files.read(key, kept)).toEqual(content);
    expect(readdirSync(join(root, 'bob'))).toEqual([]);
  });
});
