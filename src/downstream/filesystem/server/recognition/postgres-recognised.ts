import { WAITING } from '../documents/document-store.js';
import type { PostgresDatabase } from '../postgres-database.js';
import { type Recognised, type RecognisedDocument, RecognisedDocuments } from './recognised-documents.js';

/** A change is visible at the latest this long after its time, also where the clocks of the processes differ a little. */
const SETTLED_MS = 5000;
const MAX_TOLD = 10_000;

/** Read from the documents themselves: each process tells what all of them have recognised. */
export class PostgresRecognised extends RecognisedDocuments {
  readonly isShared = true;

  constructor(private readonly database: PostgresDatabase) {
    super();
  }

  add(): void {
    // The version of the document says it.
  }

  async waiting(): Promise<number> {
    const sql = `SELECT count(*) AS total FROM document WHERE ${WAITING}`;
    return (await this.database.read<{ total: number }>(sql))[0]?.total ?? 0;
  }

  async since(afterMs: number): Promise<Recognised> {
    const untilMs = Math.max(afterMs, Date.now() - SETTLED_MS);
    const [after, until] = [afterMs, untilMs].map((ms) => new Date(ms).toISOString());
    const documents = await this.database.read<RecognisedDocument & Record<string, string>>(
      `SELECT user_id, project_id, path, version FROM document
         WHERE version ~ '[.][0-9]+$' AND updated_at > $1 AND updated_at <= $2 ORDER BY updated_at DESC LIMIT $3`,
      [after, until, MAX_TOLD],
    );
    const [row] = await this.database.read<{ later: number }>(
      `SELECT count(*) AS later FROM document WHERE version ~ '[.][0-9]+$' AND updated_at > $1`,
      [until],
    );
    return { documents, untilMs, later: row?.later ?? 0 };
  }
}
