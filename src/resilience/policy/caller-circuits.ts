import type { Clock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import type { CallContext } from './call-context.js';
import type { OpeningGuard } from './circuit-breaker.js';

/** Failures that the input of one request can bring about; a refused or reset connection is the service's own. */
const OF_INPUT: ReadonlySet<DownstreamReason> = new Set(['fault', 'timeout', 'protocol']);

/** The caller (user, or address) whose input may have caused a failure; `undefined`: only the service can be the cause. */
export function suspectOf({ userId, address }: CallContext, error: unknown): string | undefined {
  const possible = error instanceof DownstreamError && OF_INPUT.has(error.reason);
  return possible ? (userId ?? address) : undefined;
}

/** The circuit of one caller has opened after so many failures. */
export interface CallerOpening {
  caller: string;
  failures: number;
}

/** The failures that a breaker has counted since its last success. */
interface FailureRun {
  /** The only caller they came from; undefined: several callers, or a failure that no input can cause. */
  caller: string | undefined;
}

export interface CallerCircuitsOptions {
  clock: Clock;
  /** Whether the service's health route answers. */
  isHealthy: () => Promise<boolean>;
  /** How long the circuit of a caller stays open, in milliseconds. */
  recoveryMs: () => number;
  onOpen: (caller: string) => void;
}

/** How long a caller is refused while the health route is asked. */
const ASKING_MS = 1000;

/**
 * Keeps one caller's input from opening the breaker for everybody. At the breaker's threshold, where every failure came
 * from one caller and input can have caused each of them, the service's health route is asked: if it answers, only that
 * caller's circuit opens; if not, the breaker does. A failure of a second caller opens the breaker without asking.
 */
export class CallerCircuits implements OpeningGuard {
  private run: FailureRun | undefined;
  private asking: FailureRun | undefined;
  /** When the circuit of each caller closes again, on the scale of the clock. */
  private readonly circuits = new Map<string, number>();

  constructor(private readonly options: CallerCircuitsOptions) {}

  /** How many milliseconds a caller's circuit stays open; undefined: it is closed. */
  refusal(caller: string | undefined): number | undefined {
    if (caller === undefined || this.circuits.size === 0) return undefined;
    const leftMs = (this.circuits.get(caller) ?? 0) - this.options.clock.now();
    return leftMs > 0 ? leftMs : undefined;
  }

  /** The breaker has counted a success, or has changed its state. */
  forget(): void {
    this.run = undefined;
  }

  /** The breaker has counted a failure. */
  add(suspect: string | undefined): void {
    if (this.run === undefined) this.run = { caller: suspect };
    else if (this.run.caller !== suspect) this.run.caller = undefined;
  }

  /**
   * The breaker has reached its threshold.
   * @param open is called where the health route does not answer and nothing has succeeded meanwhile
   * @returns whether the breaker stays closed for now
   */
  spares(open: () => void): boolean {
    const { run } = this;
    if (run?.caller === undefined) return false;
    if (this.asking !== run) void this.ask(run, run.caller, open);
    return true;
  }

  private async ask(run: FailureRun, caller: string, open: () => void): Promise<void> {
    this.asking = run;
    this.openFor(caller, ASKING_MS);
    const healthy = await this.options.isHealthy().catch(() => false);
    this.asking = undefined;
    // A success, or the breaker's own change, has settled the question.
    if (this.run !== run) return;
    if (!healthy) return open();
    this.openFor(caller, this.options.recoveryMs());
    this.options.onOpen(caller);
  }

  private openFor(caller: string, forMs: number): void {
    const now = this.options.clock.now();
    for (const [other, untilMs] of this.circuits) if (untilMs <= now) this.circuits.delete(other);
    this.circuits.set(caller, now + forMs);
  }
}
