export interface NamedFile {
  path: string;
  file: File;
}

/** The files of a choice; those of a chosen folder with their folders. */
export function chosenFiles(list: FileList): NamedFile[] {
  return [...list].map((file) => ({ path: (file.webkitRelativePath || file.name).normalize('NFC'), file }));
}

/** The files of a drop, folders opened. What begins with a dot is left out. */
export async function droppedFiles(items: DataTransferItemList): Promise<NamedFile[]> {
  // The list is emptied when the event is over, so that all entries are taken first.
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function filesIn(entry: FileSystemEntry): Promise<NamedFile[]> {
  if (entry.name.startsWith('.')) return [];
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, '').normalize('NFC'), file }];
  }
  const children = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map(filesIn))).flat();
}

/** A reader gives a hundred or so at a time, and nothing when there are no more. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
