import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { BillingClient } from '../../downstream/billing/billing.client.js';
import { ledgerRowSchema } from '../../downstream/billing/billing.contract.js';
import { Answers } from '../edge/openapi.js';
import { SharedReadsInterceptor } from '../edge/reads/shared-reads.interceptor.js';
import { type Page, pageSchema } from '../edge/schemas.js';
import { Call, type UserCall } from '../call/public-call.js';

@ApiTags('billing')
@UseInterceptors(SharedReadsInterceptor)
@Controller('v1/api/billing')
export class BillingController {
  constructor(private readonly billing: BillingClient) {}

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
}
