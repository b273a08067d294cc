import { useSyncExternalStore } from 'react';

const UNDO_MS = 7000;

export interface Undoable {
  id: number;
  text: string;
  /** undefined: the text only says what happened. */
  undo: (() => void) | undefined;
}

interface Entry extends Undoable {
  commit: (leaving: boolean) => void;
  timer: ReturnType<typeof setTimeout>;
}

/**
 * What can still be taken back. A deletion is made when its time is over, or when the page is left; a move is made at once, and
 * then made undone.
 */
class UndoQueue {
  private entries: readonly Entry[] = [];
  private next = 0;
  private readonly listeners = new Set<() => void>();

  constructor() {
    addEventListener('pagehide', () => {
      for (const { id } of this.entries) this.commit(id, true);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly list = (): readonly Undoable[] => this.entries;

  /** @param commit makes the deletion; `leaving`: the page goes away, so the request must outlive it */
  add(text: string, commit: (leaving: boolean) => void, undo?: () => void): void {
    const id = ++this.next;
    const timer = setTimeout(() => this.commit(id, false), UNDO_MS);
    this.set([...this.entries, { id, text, commit, undo, timer }]);
  }

  /** Shows a line for as long as the others, with nothing to take back. */
  say(text: string): void {
    this.add(text, () => undefined);
  }

  undo(id: number): void {
    this.take(id)?.undo?.();
  }

  commit(id: number, leaving = false): void {
    this.take(id)?.commit(leaving);
  }

  private take(id: number): Entry | undefined {
    const entry = this.entries.find((candidate) => candidate.id === id);
    if (entry !== undefined) {
      clearTimeout(entry.timer);
      this.set(this.entries.filter((other) => other !== entry));
    }
    return entry;
  }

  private set(entries: readonly Entry[]): void {
    this.entries = entries;
    for (const listener of [...this.listeners]) listener();
  }
}

export const undoQueue = new UndoQueue();
export const useUndoables = () => useSyncExternalStore(undoQueue.subscribe, undoQueue.list);
