import type { Warning } from '../../../../contract/warning.contract.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import type { StoredFile } from '../files/document-files.js';

/** The row of a document, which refers to the files with its contents. */
export interface DocumentRow extends Omit<DocumentInfo, 'warnings'> {
  /** As JSON; null for none. */
  warnings: string | null;
  /** The starts of its pages, as JSON; null for a format without pages. */
  pages: string | null;
  /** The version with which it was created. */
  first_version: string;
  file: string;
  sha256: string;
  /** The file from which the text was extracted. */
  original_file: string | null;
  original_sha256: string | null;
  /** The media type as uploaded, with its charset. */
  original_type: string | null;
  /** When the change arrived, in ms since 1970. */
  arrived_ms: number;
  /** The sizes of the text and of the original together. */
  stored_bytes: number;
}

export function originalOf(row: DocumentRow | undefined): StoredFile | undefined {
  if (row === undefined || row.original_file === null || row.original_sha256 === null) return undefined;
  return { file: row.original_file, sha256: row.original_sha256 };
}

/** The files of a row that its successor does not name; a new text of the same upload has the same original. */
export function leftFiles(before: DocumentRow | undefined, after: DocumentRow): (string | null)[] {
  const original = before?.original_file ?? null;
  return [before?.file ?? null, original === after.original_file ? null : original];
}

/** The public data of a document. */
export function infoOf(row: DocumentRow): DocumentInfo {
  const { path, version, title, media_type, bytes, updated_at, warnings } = row;
  const info = { path, version, title, media_type, bytes, updated_at };
  return warnings === null ? info : { ...info, warnings: JSON.parse(warnings) as Warning[] };
}

/** The last uploaded file for a path from which no text could be extracted. */
export interface UnreadableRow {
  path: string;
  media_type: string;
  reason: string;
  received_at: string;
  file: string;
  sha256: string;
  stored_bytes: number;
}

/** A deleted document that can be restored. */
export interface TrashRow extends DocumentRow {
  /** UTC, ISO 8601. */
  deleted_at: string;
}

/** All files of a document. */
export const filesOf = ({ file, original_file }: DocumentRow) => [file, original_file];

export const DOCUMENT_COLUMNS = [
  'path',
  'version',
  'first_version',
  'title',
  'media_type',
  'bytes',
  'updated_at',
  'file',
  'sha256',
  'original_file',
  'original_sha256',
  'arrived_ms',
  'stored_bytes',
  'warnings',
  'pages',
  'original_type',
] as const;

export const UNREADABLE_COLUMNS = [
  'path',
  'media_type',
  'reason',
  'received_at',
  'file',
  'sha256',
  'stored_bytes',
] as const;

export const TRASH_COLUMNS = [...DOCUMENT_COLUMNS, 'deleted_at'] as const;
