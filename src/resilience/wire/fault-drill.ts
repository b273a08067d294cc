import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import type { Attempt } from '../policy/attempt.js';
import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';

/** Injects faults, so that an operator can rehearse the failure of a service. */
export class FaultDrill {
  constructor(
    private readonly service: ClientName,
    private readonly clock: Clock,
    private readonly random: () => number = Math.random,
  ) {}

  /** @throws DownstreamError as a failure of the service would */
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
