import * as xlsx from '@e965/xlsx';

interface Container {
  FullPaths: string[];
  FileIndex: { content?: Uint8Array }[];
}
const cfb = xlsx.CFB as unknown as { read: (content: Uint8Array, options: { type: 'array' }) => Container };

/** The streams and storages of an OLE file (MS-CFB). */
export interface OleFile {
  /** A storage ends with `/`. */
  paths: readonly string[];
  /** The content of the first stream with one of these names; empty where there is none. */
  stream: (...names: string[]) => Uint8Array;
}

/** @throws where the file is damaged */
export function oleFile(content: Uint8Array): OleFile {
  const { FullPaths: paths, FileIndex } = cfb.read(content, { type: 'array' });
  return {
    paths,
    stream(...names) {
      const at = paths.findIndex((path) => names.some((name) => path.endsWith(`/${name}`)));
      return new Uint8Array(FileIndex[at]?.content ?? []);
    },
  };
}
