import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../../http/public.decorator.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import { timestamp } from '../../resilience/timestamp.js';

@ApiTags('status')
@Controller('v1/api/status')
export class StatusController {
  constructor(private readonly services: ServiceRegistry) {}

  @Get('services')
  @Public()
  @ApiOperation({ summary: 'The state of every service behind this one' })
  all() {
    const services = Object.fromEntries(this.services.all().map((client) => [client.service, client.status()]));
    return { services, timestamp: timestamp() };
  }
}
