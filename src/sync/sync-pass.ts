import type { CaudexApi } from './caudex-api.js';
import { digestOf } from './content.js';
import { Downloads } from './downloads.js';
import type { Folder, Scan } from './folder.js';
import { FolderWriter } from './folder-writer.js';
import { Moves } from './moves.js';
import { NOTHING, type Outcome, PassRecord, type Report } from './pass-record.js';
import { type Action, planOf } from './plan.js';
import type { SyncState } from './sync-state.js';
import { type Upload, Uploads } from './uploads.js';

type Compare = Extract<Action, { kind: 'compare' }>;

export interface PassOptions {
  /** The id. */
  project: string;
  /** Whether changes on the server come to the folder, too. */
  both: boolean;
}

/** Compares the folder with the server once, and brings them in step. */
export class SyncPass {
  private readonly record: PassRecord;
  private readonly writer: FolderWriter;

  constructor(
    private readonly folder: Folder,
    state: SyncState,
    private readonly api: CaudexApi,
    private readonly options: PassOptions,
    report: Report,
  ) {
    this.record = new PassRecord(state, report);
    this.writer = new FolderWriter(folder);
  }

  async run(): Promise<Outcome> {
    const { project } = this.options;
    await this.writer.removeDrafts();
    const { actions, scan } = await this.plan();
    this.record.total = actions.length;
    for (const action of of(actions, 'compare')) await this.compare(action, scan);
    const moves = of(actions, 'move').map(({ move }) => move);
    const refused = await new Moves(this.api, project, this.record, scan.files).run(moves);
    const renamed = refused.map(({ to: path }): Upload => ({ kind: 'upload', path, version: null }));
    await new Uploads(this.folder, this.api, project, this.record).run([...of(actions, 'upload'), ...renamed]);
    const downloads = new Downloads(this.writer, this.api, project, this.record);
    await downloads.run(of(actions, 'download'));
    for (const { path } of of(actions, 'leave')) {
      this.record.report.line(' ', path, 'was changed on the server and is left as it is there');
      this.record.step();
    }
    await downloads.remove(of(actions, 'remove'));
    for (const { path } of of(actions, 'delete')) await this.delete(path);
    // Under their new names these documents are stored; the next pass deletes the old ones.
    if (refused.length > 0) this.record.outcome.again = true;
    for (const { path } of of(actions, 'forget')) this.record.forget(path);
    return this.record.outcome;
  }

  /** The actions that {@link run} takes. */
  async plan(): Promise<{ actions: Action[]; scan: Scan }> {
    const scan = await this.folder.scan();
    const remote = await this.api.versions(this.options.project);
    for (const { path, reason } of scan.unread) this.record.fail(path, reason);
    for (const [path, digest] of scan.files) {
      if (this.record.known(path).refused === digest) {
        this.record.fail(path, 'the server did not take this content before');
      }
    }
    const { synced } = this.record;
    const isWhole = scan.unread.length === 0;
    return { actions: planOf({ ...scan, synced, remote, isWhole, both: this.options.both }), scan };
  }

  private async delete(path: string): Promise<void> {
    await this.api.delete(this.options.project, path);
    this.record.forget(path);
    this.record.outcome.deleted++;
    this.record.report.line('D', path);
    this.record.step();
  }

  private async compare({ path, version }: Compare, scan: Scan): Promise<void> {
    const there = await this.api.original(this.options.project, path);
    const [digest, here, known] = [digestOf(there), scan.files.get(path), this.record.known(path)];
    const own = known.own || digest === known.pending;
    if (here === undefined) {
      if (digest === known.pending) await this.delete(path);
      else this.record.forget(path);
      this.record.outcome.again ||= this.options.both;
    } else if (digest === here) {
      this.record.save([{ ...NOTHING, path, digest, version, own }]);
    } else if (digest === known.pending || digest === known.digest) {
      this.record.save([{ ...NOTHING, path, digest, version, own }]);
      this.record.outcome.again = true;
    } else {
      const aside = await this.writer.setAside(path, there, new Date());
      this.record.save([{ ...NOTHING, path, digest, version }]);
      this.record.outcome.conflicts++;
      this.record.outcome.again = true;
      this.record.report.line('C', path, `was changed on both sides; the file of this folder is now ${aside}`);
    }
    this.record.step();
  }
}

/** The actions of one kind, in their order. */
function of<K extends Action['kind']>(actions: readonly Action[], kind: K): Extract<Action, { kind: K }>[] {
  return actions.filter((action): action is Extract<Action, { kind: K }> => action.kind === kind);
}
