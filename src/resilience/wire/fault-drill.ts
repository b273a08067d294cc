import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import type { Attempt } from '../policy/attempt.js';
import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';

/** Faults made on purpose, so that an operator can rehearse what happens when a service misbehaves. */
export class FaultDrill {
  constructor(
    private readonly service: ClientName,
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {}

  /** @throws DownstreamError as the service would bring it about */
  async inject(settings: DownstreamSettings['fault_drill'], attempt: Attempt): Promise<void> {
    if (settings.latency_ms > 0) await this.wait(settings.latency_ms, attempt);
    const dice = this.random();
    if (dice < settings.reset_rate) {
      throw new DownstreamError({ service: this.service, reason: 'unreachable', message: 'Connection reset (drill)' });
    }
    if (dice < settings.reset_rate + settings.error_rate) {
      throw new DownstreamError({
        service: this.service,
        reason: 'fault',
        status: 500,
        message: 'server error (drill)',
      });
    }
  }

  private wait(ms: number, attempt: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.clock.after(ms, resolve);
      attempt.onabort = () => {
        stop();
        const reason = attempt.reason as DownstreamError;
        reject(reason);
      };
    });
  }
}
