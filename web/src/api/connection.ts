import { useSyncExternalStore } from 'react';

const PROBE_EVERY_MS = 2000;

/** Whether the backend can be reached, and whether it still takes the session; one for the page. */
class Connection {
  away = false;
  /** A call was refused as not signed in, after one that was. */
  signedOut = false;
  private probing: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  reached(): void {
    clearTimeout(this.probing);
    this.probing = undefined;
    this.set(() => (this.away = false), this.away);
  }

  lost(): void {
    this.set(() => (this.away = true), !this.away);
    this.probing ??= setTimeout(() => void this.probe(), PROBE_EVERY_MS);
  }

  refused(): void {
    this.set(() => (this.signedOut = true), !this.signedOut);
  }

  signedIn(): void {
    this.set(() => (this.signedOut = false), this.signedOut);
  }

  /** Asks whether the backend can be reached, and resolves as soon as it can. */
  async reachable(): Promise<void> {
    await this.probe();
    while (this.away) {
      await new Promise<void>((resolve) => {
        const stop = this.subscribe(() => (stop(), resolve()));
      });
    }
  }

  /** Resolves when the backend can be reached and takes the session. @throws the signal's reason */
  async usable(signal?: AbortSignal): Promise<void> {
    while (this.away || this.signedOut) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        const done = () => {
          stop();
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const stop = this.subscribe(done);
        signal?.addEventListener('abort', done, { once: true });
      });
    }
    signal?.throwIfAborted();
  }

  private async probe(): Promise<void> {
    clearTimeout(this.probing);
    this.probing = undefined;
    try {
      await fetch('/health/live', { cache: 'no-store' });
      this.reached();
    } catch {
      this.lost();
    }
  }

  private set(change: () => void, differs: boolean): void {
    if (!differs) return;
    change();
    for (const listener of [...this.listeners]) listener();
  }
}

export const connection = new Connection();

export const useBackendAway = () => useSyncExternalStore(connection.subscribe, () => connection.away);
export const useSignedOut = () => useSyncExternalStore(connection.subscribe, () => connection.signedOut);
