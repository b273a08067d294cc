import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Public } from '../../http/public.decorator.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';

/** The Terminus report with one entry per breaker. A dependency's outage is reported, and never fails a probe. */
@ApiTags('status')
@Public()
@Controller('health')
export class HealthReportController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly services: ServiceRegistry,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The health report: one entry for each breaker, down while it is open', security: [] })
  async report(): Promise<HealthCheckResult> {
    try {
      return await this.health.check(this.services.all().map((client) => () => this.indicatorOf(client)));
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      // Terminus reports an open breaker as 503. This process still answers, so the status stays 200 and the body
      // contains the state.
      return error.getResponse() as HealthCheckResult;
    }
  }

  private indicatorOf(client: ResilientClient) {
    const { state, failure_count, last_failure, misconfigured } = client.status();
    const indicator = this.indicators.check(client.service);
    const details = { state, failure_count, last_failure, misconfigured };
    return state === 'open' ? indicator.down(details) : indicator.up(details);
  }
}
