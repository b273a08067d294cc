import { Controller, Get } from '@nestjs/common';
import { Lifecycle } from './lifecycle.js';
import { Problem } from './problem.js';
import { Public } from './public.decorator.js';

/** Probes. They report on this process only, never on the services that it depends on. */
@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly lifecycle: Lifecycle) {}

  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  ready(): { status: 'ok' } {
    const { state } = this.lifecycle;
    if (state !== 'ready')
      throw new Problem({ status: 503, code: state, detail: `This process is ${state}.`, retryAfter: 1 });
    return { status: 'ok' };
  }
}
