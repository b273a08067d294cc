import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Audited } from '../audit/audited.decorator.js';
import { SessionOnly } from '../call/key-scopes.js';
import { Answers } from '../edge/openapi.js';
import { OperatorOnly } from '../session/session.guard.js';
import { AuditLog } from '../audit/audit-log.service.js';
import { auditRecordSchema } from '../audit/audit-store.js';

const auditQuery = z.strictObject({
  /** Records from this time on, oldest first; without it the newest ones. */
  since: z.iso.datetime({ offset: true }).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

@ApiTags('audit')
@OperatorOnly()
@SessionOnly()
@Controller('v1/api/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @Audited('audit.read')
  @ApiOperation({
    summary:
      'For operators: who signed in, made and deleted keys, acted as an operator, and deleted what; oldest first',
  })
  @Answers(200, z.object({ records: z.array(auditRecordSchema) }), 403)
  async list(@Query({ schema: auditQuery }) { since, limit }: z.output<typeof auditQuery>) {
    const from = since === undefined ? undefined : new Date(since).toISOString();
    return { records: await this.audit.store.list(from, limit) };
  }
}
