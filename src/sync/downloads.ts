import pLimit from 'p-limit';
import { type CaudexApi, Refusal } from './caudex-api.js';
import { digestOf } from './content.js';
import { ChangedHere, type FolderWriter } from './folder-writer.js';
import { NOTHING, type PassRecord } from './pass-record.js';
import type { Action } from './plan.js';
import { FATAL, PARALLEL } from './refusals.js';

export type Download = Extract<Action, { kind: 'download' }>;
export type Remove = Extract<Action, { kind: 'remove' }>;

/**
 * Brings changes on the server to the folder. A file is written before the state says so: after a kill in between the
 * next pass finds both sides equal.
 */
export class Downloads {
  constructor(
    private readonly writer: FolderWriter,
    private readonly api: CaudexApi,
    private readonly project: string,
    private readonly record: PassRecord,
  ) {}

  async run(downloads: readonly Download[]): Promise<void> {
    await pLimit(PARALLEL).map(downloads, (action) => this.unlessChanged(action.path, () => this.download(action)));
  }

  /** Removes files whose documents were deleted on the server. */
  async remove(removals: readonly Remove[]): Promise<void> {
    for (const { path, digest } of removals) {
      await this.unlessChanged(path, async () => {
        // A list of many pages may lack a document because another one was deleted meanwhile.
        if ((await this.api.version(this.project, path)) !== undefined) throw new ChangedHere(`${path} is there`);
        await this.writer.remove(path, digest);
        this.record.forget(path);
        this.record.outcome.removed++;
        this.record.report.line('-', path);
      });
    }
  }

  private async download({ path, version, digest: replaced }: Download): Promise<void> {
    const bytes = await this.api.original(this.project, path);
    const digest = digestOf(bytes);
    if (digest !== replaced) await this.writer.write(path, bytes, replaced);
    this.record.save([{ ...NOTHING, path, digest, version, own: this.record.known(path).own }]);
    if (digest === replaced) return;
    this.record.outcome.downloaded++;
    this.record.report.line(replaced === null ? '+' : '*', path);
  }

  private async unlessChanged(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Refusal) {
        if (FATAL.has(error.status)) throw error;
        // It was deleted or moved meanwhile.
        if (error.status === 404) this.record.outcome.again = true;
        else this.record.fail(path, error.message);
      } else if (error instanceof ChangedHere) this.record.outcome.again = true;
      else this.record.fail(path, (error as Error).message);
    }
    this.record.step();
  }
}
