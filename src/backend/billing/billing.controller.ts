import { Body, Controller, Get, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BillingClient } from '../../downstream/billing/billing.client.js';
import { ledgerRowSchema } from '../../downstream/billing/billing.contract.js';
import { Answers, TakesIdempotencyKey } from '../edge/openapi.js';
import { SharedReadsInterceptor } from '../edge/reads/shared-reads.interceptor.js';
import { type Page, pageSchema } from '../edge/schemas.js';
import { Audited } from '../audit/audited.decorator.js';
import { SessionOnly } from '../call/key-scopes.js';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { OperatorOnly } from '../session/session.guard.js';
import { Grants } from './grants.service.js';
import { Call, type UserCall } from '../call/public-call.js';

const grantRequest = z.strictObject({
  email: z.string().min(1).max(254),
  credits: z.int().min(1).max(1_000_000_000),
  note: z.string().trim().min(1).max(500).optional(),
});
const grantSchema = z.object({
  grant_id: z.string(),
  user_id: z.string(),
  email: z.string(),
  granted: z.int(),
  balance: z.int(),
});

@ApiTags('billing')
@UseInterceptors(SharedReadsInterceptor)
@Controller('v1/api/billing')
export class BillingController {
  constructor(
    private readonly billing: BillingClient,
    private readonly grants: Grants,
  ) {}

  @Get('balance')
  @ApiOperation({ summary: 'Your credits' })
  @Answers(200, z.object({ credits: z.int(), reserved: z.int() }))
  balance(@Call() call: UserCall) {
    return this.billing.balance({}, call);
  }

  @Get('usage')
  @ApiOperation({ summary: 'Your ledger, newest first' })
  @Answers(200, z.object({ rows: z.array(ledgerRowSchema), total: z.int() }))
  usage(@Query({ schema: pageSchema }) page: Page, @Call() call: UserCall) {
    return this.billing.usage({ query: page }, call);
  }

  @Post('grants')
  @OperatorOnly()
  @SessionOnly()
  @UseInterceptors(ReplayInterceptor)
  @TakesIdempotencyKey()
  @Audited('credits.grant')
  @ApiOperation({ summary: 'For operators: give credits to an account' })
  @Answers(201, grantSchema, 403, 404, 409, 410, 422)
  async grant(@Body({ schema: grantRequest }) body: z.output<typeof grantRequest>, @Call() call: UserCall) {
    const granted = await this.grants.grant(body, call.user.email, call);
    const { grant_id, user_id, granted: credits } = granted;
    call.audit = { objects: { grant_id, user_id, credits } };
    return granted;
  }
}
