import { setTimeout as sleep } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { ResilientClient } from '../../../resilience/wire/resilient-client.js';

/** How often servers are compared without a sign of loss. */
const COMPARE_MS = 15 * 60 * 1000;

export interface Watched {
  /** Which servers, for the log. */
  what: string;
  clients: readonly Pick<ResilientClient, 'instance' | 'lookUp'>[];
  /** Whether they are compared before they were called for another reason, and while some of them are away. */
  atOnce?: boolean;
  /** @returns whether they are as they should be */
  compare: (signal: AbortSignal) => Promise<boolean>;
  /** How often to check whether one of them has restarted. */
  lookMs: number;
}

/** How soon servers are compared again that differed. */
const COMPARE_AGAIN_MS = 60 * 1000;

/** Compares servers when one of them has restarted, every {@link COMPARE_MS}, and sooner after they differed. */
export class StoreWatch {
  private readonly stopping = new AbortController();
  /** The start ids of the servers at the last comparison. */
  private compared = '';
  private dueMs = -Infinity;
  private readonly running: Promise<void>;

  constructor(
    private readonly watched: Watched,
    private readonly log: PinoLogger,
  ) {
    this.running = this.watch();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look(signal).catch((error: unknown) => {
        // An outage: the next look compares.
        if (error instanceof DownstreamError) return;
        this.log.error({ err: error }, `The stores of ${this.watched.what} were not compared`);
      });
      await sleep(this.watched.lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { clients, atOnce = false, compare } = this.watched;
    // A server that has not been called yet has no known start id, so a loss cannot be detected.
    if (!atOnce && clients.some(({ instance }) => instance === undefined)) return;
    await Promise.all(clients.map((client) => client.lookUp()));
    const instances = clients.map(({ instance }) => instance).join(' ');
    if (instances === this.compared && performance.now() < this.dueMs) return;
    const isGood = await compare(signal);
    this.compared = instances;
    this.dueMs = performance.now() + (isGood ? COMPARE_MS : COMPARE_AGAIN_MS);
  }
}
