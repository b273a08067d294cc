import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { callOf, type UserCall } from '../../call/public-call.js';
import type { Claim } from '../../call/claim.js';
import { Idempotency } from './idempotency.service.js';

/** Answers a repeated `Idempotency-Key` with the first answer; two concurrent requests run once. */
@Injectable()
export class ReplayInterceptor implements NestInterceptor {
  constructor(private readonly idempotency: Idempotency) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return from(this.answer(context, next));
  }

  private async answer(context: ExecutionContext, next: CallHandler): Promise<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const call = callOf(request) as UserCall;
    const claim = await this.idempotency.claim(request, call.userId);
    if (claim === undefined) return lastValueFrom(next.handle());
    if (claim.answer !== null) return replay(reply, claim.answer);
    call.claim = claim;
    const { project_id } = request.params as { project_id?: string };
    if (project_id !== undefined) claim.about = { projectId: project_id };
    let isFirst = false;
    const body = await this.idempotency.once<unknown>(claim, call, {
      work: () => {
        isFirst = true;
        return this.run(claim, next, reply);
      },
      replay: (answer) => answer.body,
    });
    return isFirst ? body : this.again(request, reply, call);
  }

  private async run(claim: Claim, next: CallHandler, reply: FastifyReply): Promise<unknown> {
    const body: unknown = await lastValueFrom(next.handle());
    const etag = reply.getHeader('etag');
    await this.idempotency.complete(claim, {
      status: reply.statusCode,
      body,
      ...(typeof etag === 'string' ? { etag } : {}),
    });
    return body;
  }

  private async again(request: FastifyRequest, reply: FastifyReply, { userId }: UserCall): Promise<unknown> {
    const answer = (await this.idempotency.claim(request, userId))?.answer;
    if (answer === null || answer === undefined) throw new Error('the first answer was not kept');
    return replay(reply, answer);
  }
}

function replay(reply: FastifyReply, { status, body, etag }: NonNullable<Claim['answer']>): unknown {
  void reply.status(status).header('idempotent-replayed', 'true');
  if (etag !== undefined) void reply.header('etag', etag);
  return body;
}
