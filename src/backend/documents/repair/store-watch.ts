import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceRegistry } from '../../../resilience/service-registry.js';

/** Without any sign that something was lost, two servers are compared this often. */
const COMPARE_MS = 15 * 60 * 1000;

/** Compares two servers when either of them has started, and every {@link COMPARE_MS}. */
export class StoreWatch {
  private readonly stopping = new AbortController();
  /** The starts of the two servers that were compared last. */
  private compared = '';
  private comparedAtMs = -Infinity;
  private readonly running: Promise<void>;

  constructor(
    private readonly services: ServiceRegistry,
    private readonly names: readonly [string, string],
    private readonly compare: (signal: AbortSignal) => Promise<void>,
    /** How often is looked whether one of them has started. */
    private readonly lookMs: number,
    private readonly onError: (error: unknown) => void,
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
      await this.look(signal).catch(this.onError);
      await sleep(this.lookMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(signal: AbortSignal): Promise<void> {
    const clients = this.names.map((name) => this.services.get(name));
    // A server that nobody has asked anything yet has lost nothing that somebody would miss.
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
