import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { HistoryCopies } from '../copies/copies.module.js';
import { gitContract } from '../../downstream/git/git.contract.js';
import { Audited } from '../audit/audited.decorator.js';
import { withoutRetries } from '../call/waiting.js';
import { notFound } from '../../http/problem.js';
import { Outbox } from '../../outbox/outbox.service.js';
import { Answers } from '../edge/openapi.js';
import { idSchema } from '../edge/schemas.js';
import { Call, type UserCall } from '../call/public-call.js';
import { OperatorOnly } from '../session/session.guard.js';

const LISTED = 100;
/** The longest wait for git. */
const GIT_MS = 1000;
const entrySchema = z.object({
  id: z.string(),
  topic: z.string(),
  user_id: z.string(),
  created_at: z.string(),
  attempts: z.int(),
  last_error: z.string().nullable(),
});
const outboxSchema = z.object({
  queues: z.array(z.object({ topic: z.string(), state: z.string(), entries: z.int(), oldest: z.string() })),
  dead: z.array(entrySchema),
  /** Changes that the graph has set aside; null where git cannot be reached. */
  graph: gitContract.setAside.response.shape.changes.nullable(),
});

/**
 * For operators: entries that wait for their delivery, and entries that were set aside. The content of entries is not
 * shown.
 */
@ApiTags('status')
@OperatorOnly()
@Controller('v1/api/status/outbox')
export class OutboxController {
  constructor(
    private readonly outbox: Outbox,
    private readonly histories: HistoryCopies,
    private readonly log: PinoLogger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'How much waits in the outbox, and what was set aside' })
  @Answers(200, outboxSchema, 403)
  async list(@Call() call: UserCall): Promise<z.output<typeof outboxSchema>> {
    const [queues, dead, graph] = await Promise.all([
      this.outbox.store.stats(),
      this.outbox.store.dead(LISTED),
      this.setAside(call),
    ]);
    return {
      graph,
      queues,
      dead: dead.map(({ id, topic, userId, createdAt, attempts, lastError }) => ({
        id,
        topic,
        user_id: userId,
        created_at: createdAt,
        attempts,
        last_error: lastError,
      })),
    };
  }

  /** Of each git server, because each has a graph of its own; null where none can be reached. */
  private async setAside(call: UserCall) {
    const query = { limit: LISTED };
    const answers = await Promise.allSettled(
      this.histories.all.map(({ client }) =>
        withoutRetries('git', call, (own) => client.setAside({ query }, own), GIT_MS),
      ),
    );
    const listed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.changes] : []));
    return listed.length === 0 ? null : listed.flat();
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Audited('outbox.replay')
  @ApiOperation({ summary: 'Try an entry again that was set aside' })
  @Answers(200, z.object({ replayed: z.literal(true) }), 403, 404)
  async replay(@Param('id', { schema: idSchema }) id: string, @Call() { user, requestId }: UserCall) {
    if (!(await this.outbox.replay(id))) throw notFound(`id: no entry ${JSON.stringify(id)} has been set aside.`);
    this.log.warn({ entry: id, by: user.email, request_id: requestId }, `Outbox: ${user.email} replays an entry`);
    return { replayed: true };
  }
}
