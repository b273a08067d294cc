import { Body, Controller, Delete, Get, HttpCode, Post, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Problem } from '../../http/problem.js';
import { Audited } from '../audit/audited.decorator.js';
import { SessionOnly } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { Answers } from '../edge/openapi.js';
import { AUTH_COOKIE } from '../session/session.guard.js';
import { AccountCopies } from './account-copies.js';
import { AccountDeletion } from './deletion/account-deletion.service.js';
import { AccountExport } from './export/account-export.service.js';
import { AccountImport, importResultSchema } from './import/account-import.service.js';
import { ImportArchive } from './import/import-archive.js';
import { removeReceived, withFileOf } from './import/received-file.js';

const BINARY = { type: 'string', format: 'binary' };
/** Generators that do not know application/zip read the answer as plain bytes. */
const ARCHIVE = { 'application/zip': { schema: BINARY }, 'application/octet-stream': { schema: BINARY } };

const deletionSchema = z.strictObject({
  /** The address of the account, so that no other one is deleted by mistake. */
  confirm: z.string().min(1).max(254),
  /** Needed unless the token is of a recent sign-in. */
  password: z.string().min(1).max(1024).optional(),
});

/** The whole account: its export, its import and its deletion. */
@ApiTags('account')
@SessionOnly()
@Controller('v1/api/account')
export class AccountController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly exports: AccountExport,
    private readonly imports: AccountImport,
    private readonly deletion: AccountDeletion,
    private readonly copies: AccountCopies,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await removeReceived(this.config.data_dir);
  }

  @Get('export')
  @Audited('account.export')
  @ApiOperation({
    summary:
      'Everything of yours as a zip: documents with their histories, conversations, ledger, keys without secrets',
  })
  @ApiProduces('application/zip')
  @ApiResponse({ status: 200, description: 'Success', content: ARCHIVE })
  @Answers(200, null)
  async export(@Call() call: UserCall, @Res({ passthrough: true }) reply: FastifyReply): Promise<StreamableFile> {
    await this.copies.enter(call.userId, reply);
    const archive = await this.exports.export(call);
    const day = new Date().toISOString().slice(0, 10);
    void reply.header('cache-control', 'no-store');
    return new StreamableFile(archive, {
      type: 'application/zip',
      disposition: `attachment; filename="caudex-${day}.zip"`,
    });
  }

  @Post('import')
  @HttpCode(200)
  @Deadline('upload_ms')
  @Audited('account.import')
  @ApiOperation({
    summary: 'Take an export back into this account; documents, conversations and turns that are there already stay',
    description: 'The body is the zip, as application/zip or application/octet-stream.',
  })
  // Only one media type, and one that all generators know.
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: BINARY })
  @Answers(200, importResultSchema, 413, 415, 422, 507)
  async import(
    @Req() { body }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    if (!(body instanceof Readable)) {
      const detail =
        'content-type: send the archive of an exported account as application/zip or application/octet-stream';
      throw new Problem({ status: 415, code: 'unsupported_media_type', detail });
    }
    await this.copies.enter(call.userId, reply);
    const limits = { dataDir: this.config.data_dir, maxBytes: this.config.account.import_max_bytes };
    return withFileOf(body, limits, async (file) => {
      const archive = await ImportArchive.open(file);
      try {
        return await this.imports.import(archive, call);
      } finally {
        archive.close();
      }
    });
  }

  @Delete()
  @HttpCode(204)
  @Audited('account.delete')
  @ApiOperation({
    summary: 'Delete this account with everything in it; the password, or a token of a recent sign-in, is needed',
  })
  @Answers(204, null, 422)
  async delete(
    @Body({ schema: deletionSchema }) body: z.output<typeof deletionSchema>,
    @Call() call: UserCall,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.deletion.delete(body, call);
    void reply.clearCookie(AUTH_COOKIE, { path: '/' });
  }
}
