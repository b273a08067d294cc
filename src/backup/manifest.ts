import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export const MANIFEST = 'manifest.json';
export const FORMAT = 1;

/** The description of a backup; it is the first entry of the archive. */
export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  /** UTC, ISO 8601: the moment that the backup shows. */
  taken_at: z.string(),
  /** The processes whose data it holds. */
  apps: z.array(z.string()),
  files: z.int(),
  bytes: z.int(),
});
export type Manifest = z.output<typeof manifestSchema>;

/** How many files lie below these folders of `root`, and how large they are together. */
export async function measure(root: string, folders: readonly string[]): Promise<{ files: number; bytes: number }> {
  const total = { files: 0, bytes: 0 };
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      total.files++;
      total.bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
  }
  return total;
}
