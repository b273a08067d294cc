import { Injectable } from '@nestjs/common';

/** Where this process is between start and end; what `/health/ready` answers by. */
@Injectable()
export class Lifecycle {
  private readonly end = new AbortController();
  private phase: 'starting' | 'ready' | 'draining' = 'starting';

  get state(): 'starting' | 'ready' | 'draining' {
    return this.phase;
  }

  /** Aborts when the process drains: an answer that would not end by itself ends then. */
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
