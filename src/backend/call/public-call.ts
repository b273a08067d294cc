import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { addressOf } from './address.js';
import type { Config } from '../../config/config.schema.js';
import type { ApiKey, User } from '../../downstream/auth/auth.contract.js';
import { remainingMs } from '../../http/caller.js';
import type { Degradation } from './degradation.js';
import type { Claim } from './claim.js';
import type { CallContext } from '../../resilience/policy/call-context.js';

/** A request from outside: what every downstream call made for it carries. */
export interface PublicCall extends CallContext {
  deadlineMs: number;
  signal: AbortSignal;
  /** The caller has set a deadline of its own. */
  hasOwnDeadline: boolean;
}
/** A call on somebody's behalf, whether they wait for it or not. */
export type OwnerCall = CallContext & { userId: string };
/** A request that says who asks. */
export interface UserCall extends PublicCall {
  userId: string;
  user: User;
  token: string;
  /** Where the token is an API key: what it may do. */
  key?: ApiKey | undefined;
  /** What was worked around so far for this request. */
  degradation: Degradation;
  /** Of the request's `Idempotency-Key`, where it has one that counts. */
  claim?: Claim;
}

/** On the request itself: a weak map with a key a request costs the garbage collector more than the request does. */
const CALL = Symbol('call');
type WithCall = FastifyRequest & { [CALL]?: PublicCall };

export type DeadlineName = Exclude<keyof Config['deadlines'], 'floor_ms'>;
export const DEADLINE = Symbol('deadline');
/** Which of the configured deadlines a handler has; without it `default_ms`. */
export const Deadline = (name: DeadlineName) => SetMetadata(DEADLINE, name);

/** @param floorMs what a shorter time wanted by the caller counts as */
export function openCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { limitMs, floorMs }: { limitMs: number; floorMs: number },
): PublicCall {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const wantedMs = remainingMs(request) ?? Infinity;
  const traceparent = request.headers['traceparent'];
  const call: PublicCall = {
    requestId: request.id,
    address: addressOf(request),
    deadlineMs: performance.now() + Math.min(limitMs, wantedMs <= 0 ? 0 : Math.max(floorMs, wantedMs)),
    signal: gone.signal,
    hasOwnDeadline: wantedMs !== Infinity,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  };
  (request as WithCall)[CALL] = call;
  return call;
}

export function callOf(request: FastifyRequest): PublicCall | undefined {
  return (request as WithCall)[CALL];
}

/** Injects the {@link PublicCall} (on a handler that needs a session, the {@link UserCall}) of the request. */
export const Call = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return callOf(context.switchToHttp().getRequest<FastifyRequest>());
});
