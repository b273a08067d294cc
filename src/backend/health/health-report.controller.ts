import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Public } from '../../http/public.decorator.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';

/** The Terminus report, a line for each breaker. A dependency's outage is told, and fails nothing. */
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
  @HealthCheck()
  @ApiOperation({ summary: 'The health report: one entry for each breaker', security: [] })
  report() {
    return this.health.check(
      this.services.all().map((client) => () => {
        const { state, failure_count, last_failure } = client.status();
        return this.indicators.check(client.service).up({ state, failure_count, last_failure });
      }),
    );
  }
}
