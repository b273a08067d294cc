import { StartError } from '../config/start-error.js';
import type { DocumentStore } from '../downstream/filesystem/server/documents/document-store.js';
import { DamagedFile, type DocumentFiles } from '../downstream/filesystem/server/files/document-files.js';

/**
 * Copies the contents of all documents. Each copy is read again and compared by its SHA-256; what is there already is not
 * copied again.
 * @param name what `to` is called in messages
 * @throws StartError where a content could not be copied
 */
export async function copyContents(
  documents: DocumentStore,
  from: DocumentFiles,
  to: DocumentFiles,
  name: string,
  print: (line: string) => void,
): Promise<void> {
  const failures: string[] = [];
  let [copied, kept] = [0, 0];
  for await (const { key, ...stored } of documents.files()) {
    try {
      if (await isThere(to, key, stored)) kept++;
      else {
        await to.write(key, await from.read(key, stored), stored.file);
        await to.read(key, stored);
        copied++;
      }
    } catch (error) {
      failures.push(`${stored.file}: ${(error as Error).message}`);
    }
  }
  for (const failure of failures) print(failure);
  print(`${copied} contents copied to ${name}, ${kept} were there already`);
  if (failures.length > 0) throw new StartError(`${failures.length} contents could not be copied; repeat the command`);
}

async function isThere(to: DocumentFiles, ...[key, stored]: Parameters<DocumentFiles['read']>): Promise<boolean> {
  try {
    await to.read(key, stored);
    return true;
  } catch (error) {
    if (error instanceof DamagedFile) return false;
    throw error;
  }
}
