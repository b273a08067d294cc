import { uploadVersion } from '../../../../contract/extraction-version.js';
import { Problem } from '../../../../http/problem.js';
import { pendingPages } from '../extraction/recognition/recognised-text.js';
import { hashOf, type StoredFile } from '../files/document-files.js';
import type { DocumentRow } from './document-row.js';
import { changedSince, type PathState } from './document-store.js';
import type { ReadUpload, Upload } from './document-upload.js';

export interface WriteRequest extends Upload {
  version: string;
  if_match?: string | undefined;
  /** When the change arrived, in ms since 1970. A change that arrived before the current state is dropped. */
  arrived_ms?: number | undefined;
  /** Set by a person; for a document that is created. */
  tags?: readonly string[] | undefined;
  /** Whether pictures are to be recognised again where the same file was uploaded before. */
  again?: boolean;
}

export interface Written {
  row: DocumentRow;
  created: boolean;
  changed: boolean;
}

/** The row of an upload whose text, and original where there is one, were written to these files. */
export function rowOf(
  current: DocumentRow | undefined,
  path: string,
  title: string,
  request: WriteRequest & ReadUpload,
  stored: StoredFile,
  kept?: StoredFile,
): DocumentRow {
  const { version, media_type, content, original } = request;
  return {
    ...{ path, version, first_version: current?.first_version ?? version, title, media_type, bytes: content.length },
    ...{ updated_at: new Date().toISOString(), arrived_ms: request.arrived_ms ?? Date.now(), ...stored },
    ...{ original_file: kept?.file ?? null, original_sha256: kept?.sha256 ?? null },
    original_type: kept === undefined ? null : request.original_type,
    tags: current === undefined ? tagsAsJson(request.tags ?? []) : current.tags,
    stored_bytes: content.length + (original?.length ?? 0),
    ...asideOf(request),
  };
}

export const tagsAsJson = (tags: readonly string[]) => (tags.length === 0 ? null : JSON.stringify(tags));

/** The data about a text, in the form in which they are stored. */
export function asideOf({
  warnings,
  pages,
}: Pick<ReadUpload, 'warnings' | 'pages'>): Pick<DocumentRow, 'warnings' | 'pages'> {
  const json = (list: readonly object[]) => (list.length === 0 ? null : JSON.stringify(list));
  return { warnings: json(warnings), pages: json(pages) };
}

/** @throws Problem 409 `superseded` */
export function refuseSuperseded(
  state: PathState,
  path: string,
  { arrived_ms = Infinity, version }: WriteRequest,
): void {
  const changed = changedSince(state, arrived_ms);
  if (changed === undefined || (changed.version !== null && uploadVersion(changed.version) === version)) return;
  throw new Problem({
    status: 409,
    code: 'superseded',
    detail: `${path} was ${changed.version === null ? 'deleted' : 'replaced'} by a change that came in after this one; this one was not stored.`,
  });
}

/** The effect of a request on the current document. @throws Problem 409 `version_taken`, 412 `version_conflict` */
export function decision(
  current: DocumentRow | undefined,
  wanted: ReadUpload & WriteRequest,
  damaged: string | undefined,
): 'store' | Written {
  const { version, if_match } = wanted;
  const { warnings, pages } = asideOf(wanted);
  const same =
    current?.media_type === wanted.media_type &&
    (isRecognising(current, wanted) ||
      (current.sha256 === wanted.sha256 && current.warnings === warnings && current.pages === pages));
  const intact = current?.file !== damaged;
  if (current !== undefined && uploadVersion(current.version) === version) {
    // Where another text was taken from this upload since, it was stored before.
    const isRepetition = same || current.version !== version;
    if (isRepetition) {
      return intact ? { row: current, created: version === current.first_version, changed: true } : 'store';
    }
    const detail = `version: ${version} is the current one already, with another text`;
    throw new Problem({ status: 409, code: 'version_taken', detail });
  }
  if (if_match !== undefined && !isMatched(if_match, current)) {
    const detail =
      current === undefined
        ? `if_match: there is no document to match ${if_match}`
        : `if_match: the current version is ${current.version}, not ${if_match === '*' ? 'none' : if_match}`;
    throw new Problem({ status: 412, code: 'version_conflict', detail });
  }
  return same && intact ? { row: current, created: false, changed: false } : 'store';
}

/** Whether the same file was uploaded before, and its pictures were recognised since or wait for it. */
function isRecognising(current: DocumentRow, { original, warnings, again }: ReadUpload & WriteRequest): boolean {
  if (again === true || original === undefined || !pendingPages(warnings).isPending) return false;
  return current.original_sha256 === hashOf(original);
}

/** Text that was recognised since is not a change of the document. */
function isMatched(ifMatch: string, current: DocumentRow | undefined): boolean {
  if (current === undefined) return ifMatch === '*';
  return ifMatch === current.version || ifMatch === uploadVersion(current.version);
}
