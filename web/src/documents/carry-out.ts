import { useSyncExternalStore } from 'react';
import { type Failure, inBatches, patiently } from '../api/many.ts';
import { queries } from '../api/queries.ts';
import { randomId } from '../api/random-id.ts';
import { type Notice, undoQueue } from '../layout/undo.ts';
import { t } from '../texts/en.ts';

/** Work that takes longer shows how far it is. */
const SHOWN_AFTER_MS = 400;
/** A service that asks for a longer wait has failed; the person decides when to try again. */
const LONGEST_WAIT_MS = 5000;

/** The documents of lists, and the entries of the trash, that are being deleted or restored. */
class Hidden {
  private ids: ReadonlySet<string> = new Set();
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly list = (): ReadonlySet<string> => this.ids;

  set(ids: Iterable<string>, hidden: boolean): void {
    const after = new Set(this.ids);
    for (const id of ids) {
      if (hidden) after.add(id);
      else after.delete(id);
    }
    this.ids = after;
    for (const listener of [...this.listeners]) listener();
  }
}

const hidden = new Hidden();
/** Names a document of a project, or with a version an entry of its trash. */
export const hiddenId = (project: string, { path, version = '' }: { path: string; version?: string }) =>
  `${project} ${version} ${path}`;
/** The documents and entries of the trash that are being deleted or restored: a list leaves them out at once. */
export const useHidden = () => useSyncExternalStore(hidden.subscribe, hidden.list);

/** Of one request: few enough that the line shows how far it is, and that the body of a request can outlive the page. */
const BATCH = 50;

/** The result of the backend for one document of several; with an error where it was refused. */
export interface Result {
  path?: string;
  from?: string;
  error?: { detail: string };
}

export interface Work<T> {
  items: readonly T[];
  /** The identifier of an item that lists leave out meanwhile. */
  hides?: (item: T) => string;
  /**
   * @param key the same for each try for some items, so that a repeated request changes nothing twice
   * @returns the result of each, in their order
   */
  request: (items: readonly T[], key: string) => Promise<readonly Result[]>;
  /** How many items a request takes. */
  batch?: number;
  going: string;
  done: (items: readonly T[]) => { text: string; undo?: () => void };
  failed: (failures: number, items: number) => string;
  /** What to say where the error of a request means that the work can not be done so. */
  impossible?: (error: Error) => Notice | undefined;
}

/** Does the work on many documents, shows how far it is, and says what came of each that failed. */
export async function carryOut<T extends { path: string }>(project: string, work: Work<T>): Promise<void> {
  const { items } = work;
  const hide = (some: readonly T[], isHidden: boolean) => {
    if (work.hides !== undefined) hidden.set(some.map(work.hides), isHidden);
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  const line = new WorkLine(work.going, items.length, () => stopping.abort());
  const succeeded: T[] = [];
  hide(items, true);
  const request = async (batch: readonly T[]) => {
    const key = randomId();
    const results = await patiently(() => work.request(batch, key), { longestWaitMs: LONGEST_WAIT_MS, signal });
    return batch.map((_, i) => {
      const error = results[i]?.error;
      return error && new Error(error.detail);
    });
  };
  const onDone = (batch: readonly T[], failures: readonly Failure<T>[]) => {
    const failed = new Set(failures.map(({ item }) => item));
    succeeded.push(...batch.filter((item) => !failed.has(item)));
    hide([...failed], false);
    line.advance(batch.length);
  };
  const failures = await inBatches(items, work.batch ?? BATCH, request, { onDone, signal });
  const impossible = succeeded.length === 0 ? failures[0] && work.impossible?.(failures[0].error) : undefined;
  await readAgain(project);
  hide(items, false);
  line.end(impossible ?? outcome(project, work, succeeded, failures));
}

/** The line that says how far work is; short work has none until its end. */
class WorkLine {
  private done = 0;
  private isStopped = false;
  private show: ((notice: Notice) => void) | undefined;
  private readonly timer = setTimeout(() => this.update(), SHOWN_AFTER_MS);

  constructor(
    private readonly text: string,
    private readonly total: number,
    private readonly stop: () => void,
  ) {}

  advance(items: number): void {
    this.done += items;
    if (this.show !== undefined && !this.isStopped) this.update();
  }

  end(notice: Notice | undefined): void {
    clearTimeout(this.timer);
    if (notice !== undefined) this.put(notice);
  }

  private update(): void {
    const stop = () => {
      this.isStopped = true;
      this.stop();
    };
    this.put({ text: this.text, progress: { done: this.done, total: this.total }, actions: [[t.undo.stop, stop]] });
  }

  private put(notice: Notice): void {
    if (this.show === undefined) this.show = undoQueue.show(notice);
    else this.show(notice);
  }
}

/** undefined: the work was stopped before anything was done. */
function outcome<T extends { path: string }>(
  project: string,
  work: Work<T>,
  succeeded: readonly T[],
  failures: readonly Failure<T>[],
): Notice | undefined {
  const { text, undo } = work.done(succeeded);
  const takeBack = undo === undefined || succeeded.length === 0 ? [] : [[t.undo.undo, undo] as const];
  if (failures.length === 0) return succeeded.length === 0 ? undefined : { text, actions: takeBack };
  const again = () => void carryOut(project, { ...work, items: failures.map(({ item }) => item) });
  return {
    text: work.failed(failures.length, work.items.length),
    failures: failures.map(({ item: { path }, error: { message } }) => ({ name: path, detail: message })),
    actions: [[t.undo.again, again], ...takeBack],
  };
}

async function readAgain(project: string): Promise<void> {
  const kinds = ['documents', 'document', 'history', 'related', 'graph'];
  const changed = [...kinds.map((kind) => [kind, project]), ['projects']];
  await Promise.all(changed.map((queryKey) => queries.invalidateQueries({ queryKey })));
}
