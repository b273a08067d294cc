import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import type { Attempt, Call } from '../policy/attempt.js';
import type { Transition } from '../policy/circuit-breaker.js';
import type { DownstreamError } from '../policy/downstream-error.js';

type Write = (fields: object, message: string) => void;

/** What is needed of nestjs-pino's PinoLogger. */
export interface LogSink {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  readonly logger: { isLevelEnabled(level: string): boolean };
}

const seconds = (ms: number) => `${Math.round(ms) / 1000}s`;

/** The lines that the client writes. Their words are part of the public contract. */
export class ServiceLog {
  constructor(
    private readonly sink: LogSink,
    private readonly service: ClientName,
    private readonly title: string,
  ) {}

  began({ call, number, of }: Attempt): void {
    if (this.writesInfo) this.info(call, number, `${call.method} ${call.path} (attempt ${number}/${of})`);
  }

  succeeded({ call, number }: Attempt): void {
    if (this.writesInfo) this.info(call, number, `✓ ${call.method} ${call.path} succeeded`);
  }

  failed({ call, number, of }: Attempt, error: DownstreamError): void {
    const fields = { ...this.fields(call, number), reason: error.reason };
    const line = (text: string) => `[${this.title}] ${text}`;
    switch (error.reason) {
      case 'unreachable':
        return this.sink.warn(fields, line(`Connection failed on attempt ${number}/${of}: ${error.message}`));
      case 'fault':
        return this.sink.warn(fields, line(`Server error ${error.status} on attempt ${number}/${of}`));
      case 'timeout':
        return this.sink.warn(fields, line(`Timeout on attempt ${number}/${of}: ${error.message}`));
      case 'deadline':
        return this.sink.warn(fields, line(`Deadline passed on attempt ${number}/${of}: ${error.message}`));
      case 'protocol':
        return this.sink.warn(fields, line(`Answer breaks the contract on attempt ${number}/${of}: ${error.message}`));
      case 'saturated':
        return this.sink.warn(fields, line(`Saturated on attempt ${number}/${of}: ${error.message}`));
      case 'rejected':
        return this.sink.info(fields, line(`${call.method} ${call.path} refused with ${error.status}`));
      default:
        return this.sink.debug(
          fields,
          line(`${call.method} ${call.path} ended on attempt ${number}/${of}: ${error.message}`),
        );
    }
  }

  waits(call: Call, number: number, waitMs: number): void {
    if (this.writesInfo) this.info(call, number, `Retrying in ${seconds(waitMs)}...`);
  }

  gaveUp(call: Call, attempts: number): void {
    this.sink.warn(this.fields(call, attempts), `[${this.title}] ✗ All ${attempts} retry attempts failed`);
  }

  budgetSpent(call: Call, number: number): void {
    this.sink.warn(
      this.fields(call, number),
      `[${this.title}] Retry budget spent - not retrying ${call.method} ${call.path}`,
    );
  }

  refused(call: Call, number: number, state: string): void {
    if (this.writesInfo) this.info(call, number, `Circuit breaker ${state.toUpperCase()} - rejecting request`);
  }

  changed({ to, why }: Transition): void {
    const text =
      to === 'open'
        ? `Circuit breaker OPEN (${why})`
        : to === 'half_open'
          ? 'Circuit breaker entering HALF_OPEN state'
          : `Circuit breaker CLOSED (${why})`;
    this.sink.warn({ service: this.service, state: to }, `[${this.title}] ${text}`);
  }

  /** Nobody shall look for a fault that was made here. */
  drill(drill: DownstreamSettings['fault_drill']): void {
    if (drill.enabled) this.sink.warn({ service: this.service, drill }, `[${this.title}] Fault drill is ON`);
  }

  listenerFailed(error: unknown): void {
    this.sink.error({ service: this.service, err: error }, `[${this.title}] A listener of this client failed`);
  }

  private get writesInfo(): boolean {
    return this.sink.logger.isLevelEnabled('info');
  }

  private info(call: Call, number: number, text: string): void {
    this.sink.info(this.fields(call, number), `[${this.title}] ${text}`);
  }

  private fields(call: Call, number: number): object {
    return { service: this.service, attempt: number, request_id: call.context.requestId };
  }
}
