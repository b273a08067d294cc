import { type CaudexApi, Refusal } from './caudex-api.js';
import { NOTHING, type PassRecord } from './pass-record.js';
import { FATAL } from './refusals.js';
import type { Move, Rename } from './renames.js';

/**
 * Moves documents on the server after files or folders were renamed here. The state records each new path with the
 * content that is to be there before the request is sent. A process that was killed before the answer finds either the
 * documents under the old paths, and moves them, or under the new ones, and recognises them by their content.
 */
export class Moves {
  constructor(
    private readonly api: CaudexApi,
    private readonly project: string,
    private readonly record: PassRecord,
    /** The digests of the files, by path. */
    private readonly files: ReadonlyMap<string, string>,
  ) {}

  /** @returns the renames that the server refused, as it does where a document changed meanwhile */
  async run(moves: readonly Move[]): Promise<Rename[]> {
    const refused: Rename[] = [];
    for (const move of moves) {
      if (await this.move(move)) continue;
      if (!move.from.endsWith('/')) refused.push(...move.documents);
      // A folder with too much text for one call.
      else refused.push(...(await this.run(move.documents.map((one) => ({ ...one, documents: [one] })))));
    }
    return refused;
  }

  /** @returns false where the server refused it */
  private async move({ from, to, documents }: Move): Promise<boolean> {
    const before = documents.map((one) => ({ ...one, known: this.record.known(one.from) }));
    this.record.save(
      before.flatMap(({ to: path, known }) => [
        { ...NOTHING, path, pending: known.digest },
        // Where the file is back under its old name after a kill, it is uploaded, and not taken for a deletion there.
        { ...known, pending: known.digest },
      ]),
    );
    let versions: Map<string, string>;
    try {
      versions = await this.api.move(this.project, from, to);
    } catch (error) {
      if (!(error instanceof Refusal) || FATAL.has(error.status)) throw error;
      return false;
    }
    // A document that was added to the folder meanwhile was moved with it: the next pass finds it.
    const moved = before.filter((one) => versions.has(one.to));
    this.record.save(
      moved.map(({ to: path, known: { digest, own } }) => ({
        ...{ ...NOTHING, path, digest, own },
        version: versions.get(path) as string,
      })),
      moved.map((one) => one.from),
    );
    for (const one of moved) {
      this.record.outcome.moved++;
      this.record.report.line('R', one.to, `from ${one.from}`);
    }
    const isEqual = moved.length === before.length && moved.every((one) => this.files.get(one.to) === one.known.digest);
    this.record.outcome.again ||= !isEqual || versions.size > moved.length;
    return true;
  }
}
