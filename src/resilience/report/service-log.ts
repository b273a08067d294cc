import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import { isModel } from '../../config/llm-models.js';
import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, AttemptOutcome, Refuser } from '../policy/attempt-observer.js';
import type { BreakerState, Transition } from '../policy/circuit-breaker.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { refusalKind } from './model-refusal.js';

type Write = (fields: object, message: string) => void;

/** The part of nestjs-pino's PinoLogger that is used here. */
export interface LogSink {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  readonly logger: { isLevelEnabled(level: string): boolean };
}

const seconds = (ms: number) => `${Math.round(ms) / 1000}s`;

/** The log lines of one service. Their words are part of the public contract. */
export class ServiceLog implements AttemptObserver {
  private state: BreakerState = 'closed';

  constructor(
    private readonly sink: LogSink,
    private readonly service: ClientName,
    private readonly title: string,
  ) {}

  began(attempt: Attempt): void {
    const { call, number, of } = attempt;
    if (this.writesInfo) this.info(attempt, `${call.method} ${call.path} (attempt ${number}/${of})`);
  }

  answered(attempt: Attempt): void {
    if (this.writesInfo) this.info(attempt, `✓ ${attempt.call.method} ${attempt.call.path} succeeded`);
  }

  ended(attempt: Attempt, _outcome: AttemptOutcome, _durationMs: number, error: unknown): void {
    if (error instanceof DownstreamError) this.failed(attempt, error);
  }

  retrying(attempt: Attempt, _error: DownstreamError, waitMs: number): void {
    if (this.writesInfo) this.info(attempt, `Retrying in ${seconds(waitMs)}...`);
  }

  gaveUp(attempt: Attempt): void {
    this.sink.warn(this.fields(attempt), `[${this.title}] ✗ All ${attempt.of} retry attempts failed`);
  }

  refused(attempt: Attempt, by: Refuser): void {
    const { call } = attempt;
    if (by === 'retry_budget') {
      this.sink.warn(
        this.fields(attempt),
        `[${this.title}] Retry budget spent - not retrying ${call.method} ${call.path}`,
      );
    } else if (by === 'breaker' && this.writesInfo) {
      this.info(attempt, `Circuit breaker ${this.state.toUpperCase()} - rejecting request`);
    }
  }

  stateChanged({ to, why }: Transition): void {
    this.state = to;
    const text =
      to === 'open'
        ? `Circuit breaker OPEN (${why})`
        : to === 'half_open'
          ? 'Circuit breaker entering HALF_OPEN state'
          : `Circuit breaker CLOSED (${why})`;
    this.sink.warn({ service: this.service, state: to }, `[${this.title}] ${text}`);
  }

  callerOpened(caller: string, failures: number): void {
    this.sink.warn(
      { service: this.service, caller },
      `[${this.title}] ${failures} failures of one caller alone, and the health route answers: only that caller is refused`,
    );
  }

  endpointChanged({ name, ejected }: { name: string; ejected: boolean }, why: string): void {
    const text = ejected ? `Endpoint ${name} is left out: ${why}` : `Endpoint ${name} is used again: ${why}`;
    this.sink.warn({ service: this.service, endpoint: name, ejected }, `[${this.title}] ${text}`);
  }

  /** Logs that the following faults are injected by a drill. */
  drill(drill: DownstreamSettings['fault_drill']): void {
    if (drill.enabled) this.sink.warn({ service: this.service, drill }, `[${this.title}] Fault drill is ON`);
  }

  observerFailed(error: unknown): void {
    this.sink.error({ service: this.service, err: error }, `[${this.title}] An observer of this client failed`);
  }

  private get writesInfo(): boolean {
    return this.sink.logger.isLevelEnabled('info');
  }

  /** Of a model, whose endpoint is configured here; our own servers refuse single calls. */
  private isMisconfigured(error: DownstreamError): boolean {
    return isModel(this.service) && refusalKind(error) === 'configuration';
  }

  private failed(attempt: Attempt, error: DownstreamError): void {
    const { call, number, of } = attempt;
    const fields = { ...this.fields(attempt), reason: error.reason };
    const line = (text: string) => `[${this.title}] ${text}`;
    if (this.isMisconfigured(error)) {
      const told = `${error.problem?.code ?? 'no code'}: ${error.problem?.detail ?? error.message}`;
      return this.sink.warn(fields, line(`Configuration refused with ${error.status}: ${told}`));
    }
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

  private info(attempt: Attempt, text: string): void {
    this.sink.info(this.fields(attempt), `[${this.title}] ${text}`);
  }

  private fields({ call, number }: Attempt): object {
    return { service: this.service, attempt: number, request_id: call.context.requestId };
  }
}
