import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { z } from 'zod';
import { ImportArchive } from './import-archive.js';

describe('the archive of an exported account', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-archive-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  async function parsed(json: string): Promise<unknown> {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(json), 'a.json');
    zip.end();
    await pipeline(zip.outputStream, createWriteStream(join(dir, 'a.zip')));
    const archive = await ImportArchive.open(join(dir, 'a.zip'));
    try {
      return await archive.json('a.json', z.unknown());
    } finally {
      archive.close();
    }
  }

  it('is refused with JSON that takes many times its size in memory', async () => {
    const refusal = 'a.json of the archive can not be read: it has more than 10000000 values';
    await expect(parsed(`[${'{},'.repeat(5_000_000)}{}]`)).rejects.toThrow(refusal);
    await expect(parsed('['.repeat(10_000_001))).rejects.toThrow(refusal);
    expect(await parsed(`{"text":"${'word, '.repeat(1_000_000)}"}`)).toHaveProperty('text');
  });
});
