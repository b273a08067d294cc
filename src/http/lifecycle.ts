import { Injectable } from '@nestjs/common';

/** The phase of this process between start and end; `/health/ready` answers by it. */
@Injectable()
export class Lifecycle {
  private readonly end = new AbortController();
  private phase: 'starting' | 'ready' | 'draining' = 'starting';

  get state(): 'starting' | 'ready' | 'draining' {
    return this.phase;
  }

  /** Aborts when the process drains, to end answers that would not end by themselves. */
  get draining(): AbortSignal {
    return this.end.signal;
  }

  started(): void {
    this.phase = 'ready';
  }

  drain(): void {
    this.phase = 'draining';
    this.end.abort();
  }
}
