import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AuthClient } from '../../downstream/auth/auth.client.js';
import { apiKeySchema, keyScopeSchema } from '../../downstream/auth/auth.contract.js';
import { notFound } from '../../http/problem.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, type UserCall } from '../call/public-call.js';
import { Answers } from '../edge/openapi.js';
import { idSchema } from '../edge/schemas.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { SessionOnly } from '../call/key-scopes.js';
import { critical, SessionService } from '../session/session.service.js';

const newKey = z.strictObject({
  name: z.string().trim().min(1).max(200),
  /** The permissions of the key: read, write (which includes read), chat. */
  scopes: z.array(keyScopeSchema).min(1).default(['read', 'write', 'chat']),
  /** The only project that the key gives access to; without it, all projects. */
  project_id: idSchema.nullish(),
  /** UTC, ISO 8601, in the future; without it the key does not expire. */
  expires_at: z.iso
    .datetime({ offset: true })
    .refine((time) => Date.parse(time) > Date.now(), 'a time in the future is needed')
    .nullish(),
});

/** API keys, for clients that cannot sign in every day. They are accepted wherever a session token is. */
@ApiTags('keys')
@SessionOnly()
@Controller('v1/api/keys')
export class KeysController {
  constructor(
    private readonly auth: AuthClient,
    private readonly access: ProjectAccess,
    private readonly sessions: SessionService,
  ) {}

  @Post()
  @Audited('key.create')
  @ApiOperation({ summary: 'Make a key; the key itself is in this answer only' })
  @Answers(201, apiKeySchema.extend({ key: z.string() }), 403, 404, 422)
  async create(@Body({ schema: newKey }) body: z.output<typeof newKey>, @Call() call: UserCall) {
    const { name, scopes, project_id = null, expires_at } = body;
    if (project_id !== null) await this.access.require(project_id, call);
    const expires = expires_at === null || expires_at === undefined ? null : new Date(expires_at).toISOString();
    const unique = [...new Set(scopes)];
    const created = await critical(
      this.auth.createKey({ body: { name, scopes: unique, project_id, expires_at: expires } }, call),
    );
    call.audit = { objects: { id: created.id } };
    return created;
  }

  @Get()
  @ApiOperation({ summary: 'Your keys, newest first, each with its last use' })
  @Answers(200, z.object({ keys: z.array(apiKeySchema) }), 403)
  list(@Call() call: UserCall) {
    return critical(this.auth.listKeys({}, call));
  }

  @Delete(':id')
  @HttpCode(204)
  @Audited('key.delete')
  @ApiOperation({ summary: 'Revoke a key' })
  @Answers(204, null, 403, 404)
  async delete(@Param('id', { schema: idSchema }) id: string, @Call() call: UserCall): Promise<void> {
    const { deleted } = await critical(this.auth.deleteKey({ params: { key_id: id } }, call));
    await this.sessions.forgetKey(id);
    if (!deleted) throw notFound(`id: you have no key ${JSON.stringify(id)}.`);
  }
}
