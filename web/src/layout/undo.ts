import { useSyncExternalStore } from 'react';
import { t } from '../texts/en.ts';

const SHOWN_MS = 7000;

/** A line that says what was done or goes on, above the page. */
export interface Notice {
  text: string;
  /** How far work is that goes on. The line stays until the work is done. */
  progress?: { done: number; total: number };
  /** What could not be done, by name. The line stays until it is dismissed. */
  failures?: readonly { name: string; detail: string }[];
  /** What can be done about it: the text of a button, and what it does. A used button closes the line. */
  actions?: readonly (readonly [text: string, run: () => void])[];
  /** Called when the line closes without a used button; `leaving`: because the page is left. */
  onClose?: (leaving: boolean) => void;
}

interface Entry extends Notice {
  id: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * What can still be taken back. The deletion of a project or a conversation is made when its time is over, or when the page is
 * left; other changes are made at once, and then made undone.
 */
class UndoQueue {
  private entries: readonly Entry[] = [];
  private next = 0;
  private readonly listeners = new Set<() => void>();

  constructor() {
    addEventListener('pagehide', () => {
      for (const { id } of this.entries) this.close(id, true);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly list = (): readonly (Notice & { id: number })[] => this.entries;

  /** @returns replaces what the line says, and shows it again where it was closed */
  show(notice: Notice): (notice: Notice) => void {
    const id = ++this.next;
    const put = (changed: Notice) => {
      clearTimeout(this.entries.find((entry) => entry.id === id)?.timer);
      const stays = changed.progress !== undefined || (changed.failures ?? []).length > 0;
      const timer = stays ? undefined : setTimeout(() => this.close(id), SHOWN_MS);
      const entry = { ...changed, id, timer };
      const isShown = this.entries.some((other) => other.id === id);
      this.set(isShown ? this.entries.map((other) => (other.id === id ? entry : other)) : [...this.entries, entry]);
    };
    put(notice);
    return put;
  }

  /** @param commit makes the deletion; `leaving`: the page goes away, so the request must outlive it */
  add(text: string, commit: (leaving: boolean) => void, undo: () => void): void {
    this.show({ text, actions: [[t.undo.undo, undo]], onClose: commit });
  }

  /** Shows a line with nothing to take back. */
  say(text: string): void {
    this.show({ text });
  }

  act(id: number, run: () => void): void {
    this.take(id);
    run();
  }

  close(id: number, leaving = false): void {
    this.take(id)?.onClose?.(leaving);
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
export const useNotices = () => useSyncExternalStore(undoQueue.subscribe, undoQueue.list);
