import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import { type Config, SERVICE_NAMES } from '../../config/config.schema.js';
import { Lifecycle } from '../../http/lifecycle.js';
import { notFound } from '../../http/problem.js';
import { Public } from '../../http/public.decorator.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import { timestamp } from '../../resilience/report/timestamp.js';
import { EventStream, eventStreamTimes } from '../edge/event-stream.js';
import { OpenStreams } from '../edge/limits/open-streams.js';
import { Answers } from '../edge/openapi.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, type UserCall } from '../call/public-call.js';
import { OperatorOnly } from '../session/session.guard.js';

const nameSchema = z.enum(SERVICE_NAMES).or(z.string().regex(/^llm_[1-9]\d?$/));
type Name = z.output<typeof nameSchema>;
const reasonSchema = z.strictObject({ reason: z.string().trim().min(1).max(500) });
const statusSchema = z
  .looseObject({
    service: z.string(),
    state: z.enum(['closed', 'open', 'half_open']),
    failure_count: z.int(),
    last_failure: z.string().nullable(),
    last_state_change: z.string(),
    last_failure_reason: z.string().nullable(),
    retry_after_ms: z.int().nullable(),
    isolated_by: z.array(z.string()),
    misconfigured: z.boolean(),
    last_rejection: z
      .object({ at: z.string(), status: z.int(), code: z.string(), detail: z.string() })
      .meta({ title: 'Rejection' })
      .nullable(),
  })
  .meta({ title: 'ServiceStatus' });
const stateSchema = statusSchema.shape.state;
const timelineSchema = z
  .object({
    minutes: z.array(z.object({ at: z.string(), attempts: z.int(), failures: z.int(), slowest_ms: z.int() })),
    changes: z.array(z.object({ at: z.string(), from: stateSchema, to: stateSchema, why: z.string() })),
  })
  .meta({ title: 'Timeline' });

@ApiTags('status')
@Controller('v1/api/status')
export class StatusController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly services: ServiceRegistry,
    private readonly lifecycle: Lifecycle,
    private readonly streams: OpenStreams,
    private readonly log: PinoLogger,
  ) {}

  @Get('services')
  @Public()
  @ApiOperation({ summary: 'The state of every service behind this one', security: [] })
  @Answers(200, z.object({ services: z.record(z.string(), statusSchema), timestamp: z.string() }))
  all() {
    const services = Object.fromEntries(this.services.all().map((client) => [client.service, publicly(client)]));
    return { services, timestamp: timestamp() };
  }

  @Get('timeline')
  @ApiOperation({
    summary: 'The last hour of every service: attempts and failures by the minute, changes of its breaker',
  })
  @Answers(200, z.object({ services: z.record(z.string(), timelineSchema), timestamp: z.string() }))
  timeline() {
    const services = Object.fromEntries(this.services.all().map((client) => [client.service, client.timeline()]));
    return { services, timestamp: timestamp() };
  }

  @Get('services/:service')
  @OperatorOnly()
  @ApiOperation({
    summary: 'Why the breaker of a service is as it is: decisions, outcomes, settings, budget, bulkhead',
  })
  @Answers(200, statusSchema, 403, 404)
  one(@Param('service', { schema: nameSchema }) name: Name) {
    return this.client(name).report();
  }

  @Post('services/:service/isolate')
  @HttpCode(200)
  @OperatorOnly()
  @Audited('service.isolate')
  @ApiOperation({ summary: 'Keep every call from a service until it is released' })
  @Answers(200, statusSchema, 403, 404)
  isolate(
    @Param('service', { schema: nameSchema }) name: Name,
    @Body({ schema: reasonSchema }) { reason }: z.output<typeof reasonSchema>,
    @Call() { user, requestId }: UserCall,
  ) {
    const client = this.client(name);
    client.isolate(user.email);
    this.log.warn(
      { service: name, by: user.email, reason, request_id: requestId },
      `[${client.title}] isolated by ${user.email}: ${reason}`,
    );
    return client.status();
  }

  @Post('services/:service/release')
  @HttpCode(200)
  @OperatorOnly()
  @Audited('service.release')
  @ApiOperation({ summary: 'End the isolation of a service; its breaker is as it was before' })
  @Answers(200, statusSchema, 403, 404)
  release(@Param('service', { schema: nameSchema }) name: Name, @Call() { user, requestId }: UserCall) {
    const client = this.client(name);
    client.release(user.email);
    this.log.warn(
      { service: name, by: user.email, request_id: requestId },
      `[${client.title}] released by ${user.email}`,
    );
    return client.status();
  }

  @Get('stream')
  @ApiOperation({ summary: 'Every change of a breaker, as it happens; first how they all are' })
  @ApiProduces('text/event-stream')
  @Answers(200, z.string())
  async stream(@Res() reply: FastifyReply, @Call() call: UserCall): Promise<void> {
    await this.streams.enter(call.userId, reply);
    const events = new EventStream(reply, eventStreamTimes(this.config));
    let id = 0;
    let stop: () => void = () => undefined;
    const end = () => {
      stop();
      events.end();
    };
    const send = (event: string, data: unknown) => void events.send(data, { id: ++id, event }).catch(end);
    send('status', this.all());
    stop = this.services.onStateChange(({ service, from, to, why, at }) =>
      send('state', { service, from, to, why, at: timestamp(at) }),
    );
    const over = AbortSignal.any([call.signal, this.lifecycle.draining]);
    if (over.aborted) end();
    else over.addEventListener('abort', end, { once: true });
  }

  private client(name: Name): ResilientClient {
    const client = this.services.get(name);
    if (client === undefined) throw notFound(`service: there is no service ${JSON.stringify(name)}.`);
    return client;
  }
}

/** The names of operators are not public. */
function publicly(client: ResilientClient) {
  const status = client.status();
  return { ...status, isolated_by: status.isolated_by.map(() => 'an operator') };
}
