import { Injectable } from '@nestjs/common';

/** Where this process is between start and end; what `/health/ready` answers by. */
@Injectable()
export class Lifecycle {
  state: 'starting' | 'ready' | 'draining' = 'starting';
}
