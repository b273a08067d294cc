import { Injectable } from '@nestjs/common';

/** The phase of this process between start and end; `/health/ready` answers by it. */
@Injectable()
export class Lifecycle {
  private readonly end = new AbortController();
  private phase: 'starting' | 'ready' | 'draining' = 'starting';
  private refusing = false;

  get state(): 'starting' | 'ready' | 'draining' {
    return this.phase;
  }

  /** Whether new requests are refused. */
  get refuses(): boolean {
    return this.refusing;
  }

  /** Aborts when new requests are refused, to end answers that would not end by themselves. */
  get draining(): AbortSignal {
    return this.end.signal;
  }

  started(): void {
    this.phase = 'ready';
  }

  /** From now on the process is not ready; it takes requests until `refuse`. */
  drain(): void {
    this.phase = 'draining';
  }

  refuse(): void {
    this.refusing = true;
    this.end.abort();
  }
}
