import { z } from 'zod';

export const importSchema = z
  .object({
    import_id: z.string(),
    source: z.string(),
    branch: z.string().nullable(),
    /** `waiting`: a service is unavailable; the import resumes by itself. */
    state: z.enum(['running', 'waiting', 'done', 'failed']),
    imported_commits: z.int(),
    /** The number of documents that this import stored or deleted; unchanged ones are not counted. */
    documents: z.int(),
    /** The number of files that did not become documents. */
    skipped: z.int(),
    /** The first of them that are text. */
    skipped_documents: z.array(z.object({ path: z.string(), reason: z.string() }).meta({ title: 'SkippedDocument' })),
    /** Why it failed, or for which service it waits. */
    detail: z.string().nullable(),
  })
  .meta({ title: 'Import' });
export type ImportProgress = z.output<typeof importSchema>;

export interface ImportJob {
  readonly userId: string;
  readonly projectId: string;
  readonly progress: ImportProgress;
  /**
   * The version of each document before the import stored the first one. The changes of this import are found by
   * comparison.
   */
  before: ReadonlyMap<string, string> | null;
}

export interface TakenImport {
  job: ImportJob;
  /** How often it was taken since a process that ran it last shut down in order. */
  starts: number;
}

/** How many ended imports of one user are kept. */
export const KEPT_PER_USER = 100;

/** The stored imports: running ones are resumed when their process ends, ended ones can be read for some time. */
export abstract class ImportStore {
  abstract add(job: ImportJob): Promise<void>;
  abstract find(userId: string, projectId: string, importId: string): Promise<ImportProgress | undefined>;
  /** The unfinished imports that no process runs, oldest first: from now on this process runs them. */
  abstract takeUnfinished(): Promise<TakenImport[]>;
  /** Calls `listener` when there may be such imports, where several processes share the store. */
  watch?(listener: () => void): void;
  /** This process ends in order: others may run its imports. */
  abstract handOver(job: ImportJob): Promise<void>;
  abstract countUnfinished(userId: string): Promise<number>;
  /** False, also of {@link keepProgress}, where this process must no longer run the import: it was deleted, or another one runs it. */
  abstract keepBefore(job: ImportJob): Promise<boolean>;
  abstract keepProgress(job: ImportJob): Promise<boolean>;
  abstract end(job: ImportJob): Promise<void>;
  abstract forget(userId: string, projectId: string): Promise<void>;
  abstract close(): Promise<void>;
}

/** The columns that both stores have. */
export interface ImportRow {
  user_id: string;
  project_id: string;
  progress: string;
  before: string | null;
  starts: number;
}

export const takenOf = (row: ImportRow): TakenImport => ({ job: jobOf(row), starts: row.starts });

export function jobOf(row: ImportRow): ImportJob {
  return {
    userId: row.user_id,
    projectId: row.project_id,
    progress: importSchema.parse(JSON.parse(row.progress)),
    before: row.before === null ? null : new Map(JSON.parse(row.before) as [string, string][]),
  };
}
