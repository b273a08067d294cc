import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditFacts } from './audited.js';
import { addressOf } from './address.js';
import type { Config } from '../../config/config.schema.js';
import type { ApiKey, User } from '../../downstream/auth/auth.contract.js';
import { remainingMs } from '../../http/caller.js';
import type { Degradation } from './degradation.js';
import type { Claim } from './claim.js';
import type { CallContext } from '../../resilience/policy/call-context.js';

/** A public request, with the data that every downstream call made for it carries. */
export interface PublicCall extends CallContext {
  deadlineMs: number;
  signal: AbortSignal;
  /** Whether the caller has set a deadline. */
  hasOwnDeadline: boolean;
  /** What the handler adds to the record in the audit log. */
  audit?: AuditFacts;
}
/** A call on behalf of a user, who may or may not be waiting for it. */
export type OwnerCall = CallContext & { userId: string };
/** A request of an authenticated user. */
export interface UserCall extends PublicCall {
  userId: string;
  user: User;
  token: string;
  /** For an API key: its permissions. */
  key?: ApiKey | undefined;
  /** The failures that were worked around so far for this request. */
  degradation: Degradation;
  /** The claim of the request's `Idempotency-Key`, where it has one that applies. */
  claim?: Claim;
}

/**
 * The call is stored on the request itself: a weak map with one key for each request costs the garbage collector more
 * than the request does.
 */
const CALL = Symbol('call');
type WithCall = FastifyRequest & { [CALL]?: PublicCall };

export type DeadlineName = Exclude<keyof Config['deadlines'], 'floor_ms'>;
export const DEADLINE = Symbol('deadline');
/** Selects the configured deadline of a handler; without it `default_ms`. */
export const Deadline = (name: DeadlineName) => SetMetadata(DEADLINE, name);

/** @param floorMs the shortest deadline that a caller can set; shorter ones are raised to it */
export function openCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { limitMs, floorMs }: { limitMs: number; floorMs: number },
): PublicCall {
  const disconnected = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) disconnected.abort();
  });
  const wantedMs = remainingMs(request) ?? Infinity;
  const traceparent = request.headers['traceparent'];
  const call: PublicCall = {
    requestId: request.id,
    address: addressOf(request),
    deadlineMs: performance.now() + Math.min(limitMs, wantedMs <= 0 ? 0 : Math.max(floorMs, wantedMs)),
    signal: disconnected.signal,
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
