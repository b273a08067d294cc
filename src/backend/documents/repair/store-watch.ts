import { setTimeout as sleep } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { ServiceRegistry } from '../../../resilience/service-registry.js';

/** How often two servers are compared without a sign of loss. */
const COMPARE_MS = 15 * 60 * 1000;

/** Compares two servers when either of them has restarted, and every {@link COMPARE_MS}. */
export class StoreWatch {
  private readonly stopping = new AbortController();
  /** The start ids of the two servers at the last comparison. */
  private compared = '';
  private comparedAtMs = -Infinity;
  private readonly running: Promise<void>;

  constructor(
    private readonly services: ServiceRegistry,
    private readonly names: readonly [string, string],
    private readonly compare: (signal: AbortSignal) => Promise<void>,
    /** How often to check whether one of them has restarted. */
    private readonly lookMs: number,
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
        this.log.error({ err: error }, `The stores of ${this.names.join(' and ')} were not compared`);
      });
      await sleep(this.lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(signal: AbortSignal): Promise<void> {
    const clients = this.names.map((name) => this.services.get(name));
    // A server that has not been called yet has no known start id, so a loss cannot be detected.
    if (clients.some((client) => client?.instance === undefined)) return;
    for (const client of clients) await client?.lookUp();
    const instances = clients.map((client) => client?.instance).join(' ');
    const isDue = performance.now() - this.comparedAtMs > COMPARE_MS;
    if (instances === this.compared && !isDue) return;
    await this.compare(signal);
    this.compared = instances;
    this.comparedAtMs = performance.now();
  }
}
