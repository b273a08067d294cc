import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { register } from 'prom-client';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Problem } from '../../http/problem.js';
import { Public } from '../../http/public.decorator.js';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(@InjectConfig() private readonly config: Config) {}

  @Get()
  @Header('content-type', register.contentType)
  metrics(@Req() request: FastifyRequest): Promise<string> {
    if (!this.config.metrics.public && !this.isLocal(request)) {
      const detail = 'The metrics are for this machine alone; the setting metrics.public opens them.';
      throw new Problem({ status: 403, code: 'metrics_closed', detail });
    }
    return register.metrics();
  }

  /** Requests that a proxy on this machine forwards come from other machines, whether the proxy is trusted or not. */
  private isLocal({ ip, headers }: FastifyRequest): boolean {
    const proxied = headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;
    if (proxied && this.config.http.trusted_proxies.length === 0) return false;
    return LOOPBACK.test(ip);
  }
}
