import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { toProblem } from '../../http/problem.filter.js';
import { AUDITED } from '../call/audited.js';
import { callOf, type PublicCall, type UserCall } from '../call/public-call.js';
import { AuditLog } from './audit-log.service.js';

/** Writes a record of each call of a handler with `@Audited`, refused ones too. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly audit: AuditLog,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const action = this.reflector.get<string | undefined>(AUDITED, context.getHandler());
    return action === undefined ? next.handle() : from(this.recorded(action, context, next));
  }

  private async recorded(action: string, context: ExecutionContext, next: CallHandler): Promise<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    try {
      const body: unknown = await lastValueFrom(next.handle());
      const reply = context.switchToHttp().getResponse<FastifyReply>();
      // A repeated Idempotency-Key did nothing.
      if (!reply.hasHeader('idempotent-replayed')) await this.write(action, request, 'ok');
      return body;
    } catch (error) {
      await this.write(action, request, toProblem(error).code);
      throw error;
    }
  }

  private async write(action: string, request: FastifyRequest, outcome: string): Promise<void> {
    const call = callOf(request) as PublicCall & Partial<UserCall>;
    await this.audit.write({
      action,
      actor: call.userId ?? call.audit?.actor ?? null,
      ...(call.key === undefined ? {} : { key_id: call.key.id }),
      address: call.address ?? '',
      objects: { ...idsOf(request.params), ...call.audit?.objects },
      request_id: call.requestId,
      outcome,
    });
  }
}

/** The path of a document is a person's text, so it is left out. */
function idsOf(params: unknown): Record<string, string> {
  const { '*': _, ...ids } = params as Record<string, string>;
  return ids;
}
