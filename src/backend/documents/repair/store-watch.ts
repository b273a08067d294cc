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
  /** Whether they are compared before they were called for another reason. */
  atOnce?: boolean;
  compare: (signal: AbortSignal) => Promise<void>;
  /** How often to check whether one of them has restarted. */
  lookMs: number;
}

/** Compares servers when one of them has restarted, and every {@link COMPARE_MS}. */
export class StoreWatch {
  private readonly stopping = new AbortController();
  /** The start ids of the servers at the last comparison. */
  private compared = '';
  private comparedAtMs = -Infinity;
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
    const isUnknown = () => clients.some(({ instance }) => instance === undefined);
    // A server that has not been called yet has no known start id, so a loss cannot be detected.
    if (!atOnce && isUnknown()) return;
    await Promise.all(clients.map((client) => client.lookUp()));
    if (isUnknown()) return;
    const instances = clients.map(({ instance }) => instance).join(' ');
    const isDue = performance.now() - this.comparedAtMs > COMPARE_MS;
    if (instances === this.compared && !isDue) return;
    await compare(signal);
    this.compared = instances;
    this.comparedAtMs = performance.now();
  }
}
