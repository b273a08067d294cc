import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { AuthClient } from '../../downstream/auth/auth.client.js';
import { invitationSchema } from '../../downstream/auth/auth.contract.js';
import { notFound } from '../../http/problem.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, type UserCall } from '../call/public-call.js';
import { Answers } from '../edge/openapi.js';
import { idSchema } from '../edge/schemas.js';
import { OperatorOnly } from './session.guard.js';
import { critical } from './session.service.js';

const MIN_TTL_MS = 60_000;
const MAX_TTL_MS = 90 * 24 * 60 * 60 * 1000;

const newInvitation = z.strictObject({
  /** The only address that may use it; without it, any. */
  email: z.string().min(3).max(254).nullish(),
  /** Milliseconds from now; `auth.invitation_ttl_ms` by default. */
  expires_in_ms: z.int().min(MIN_TTL_MS).max(MAX_TTL_MS).optional(),
});

/** Invitations to make an account, for operators, where `auth.registration` is `invited`. */
@ApiTags('session')
@OperatorOnly()
@Controller('v1/api/auth/invitations')
export class InvitationsController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly auth: AuthClient,
  ) {}

  @Post()
  @Audited('invitation.create')
  @ApiOperation({ summary: 'Invite one person to make an account; the token is in this answer only' })
  @Answers(201, invitationSchema.extend({ token: z.string() }), 403, 409, 422)
  async create(@Body({ schema: newInvitation }) body: z.output<typeof newInvitation>, @Call() call: UserCall) {
    const { email = null, expires_in_ms = this.config.auth.invitation_ttl_ms } = body;
    const expires_at = new Date(Date.now() + expires_in_ms).toISOString();
    const created = await critical(
      this.auth.createInvitation({ body: { email, expires_at, created_by: call.user.email } }, call),
    );
    call.audit = { objects: { id: created.id } };
    return created;
  }

  @Get()
  @ApiOperation({ summary: 'The invitations, newest first; expired ones for 30 more days' })
  @Answers(200, z.object({ invitations: z.array(invitationSchema) }), 403)
  list(@Call() call: UserCall) {
    return critical(this.auth.listInvitations({}, call));
  }

  @Delete(':id')
  @HttpCode(204)
  @Audited('invitation.delete')
  @ApiOperation({ summary: 'Revoke an invitation' })
  @Answers(204, null, 403, 404)
  async delete(@Param('id', { schema: idSchema }) id: string, @Call() call: UserCall): Promise<void> {
    const { deleted } = await critical(this.auth.deleteInvitation({ params: { invitation_id: id } }, call));
    if (!deleted) throw notFound(`id: there is no invitation ${JSON.stringify(id)}.`);
  }
}
