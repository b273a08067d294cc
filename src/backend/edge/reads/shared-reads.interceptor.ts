import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { finalize, from, lastValueFrom, type Observable } from 'rxjs';
import { callOf, type UserCall } from '../../call/public-call.js';
import { SharedReads } from './shared-reads.js';

/** Passes a controller's reads through {@link SharedReads}, and reports its writes to it. */
@Injectable()
export class SharedReadsInterceptor implements NestInterceptor {
  constructor(private readonly reads: SharedReads) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const call = callOf(request) as UserCall;
    if (request.method !== 'GET') {
      return next.handle().pipe(finalize(() => this.reads.written(request.method, call)));
    }
    return from(this.reads.read(request, reply, call, () => lastValueFrom(next.handle())));
  }
}
