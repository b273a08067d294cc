import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Problem } from '../../http/problem.js';
import { Degradation } from '../call/degradation.js';
import { isPublic } from '../../http/public.decorator.js';
import { addressOf } from '../call/address.js';
import { RateLimits } from '../edge/limits/rate-limits.service.js';
import { DEADLINE, type DeadlineName, openCall, type PublicCall, type UserCall } from '../call/public-call.js';
import { requireScope } from '../call/key-scopes.js';
import { SessionService, unauthorized } from './session.service.js';

const OPERATOR = Symbol('operator');
/** Marks a handler for operators only; others get 403. */
export const OperatorOnly = () => SetMetadata(OPERATOR, true);

const CHANGES = Symbol('changes');
/** Marks a GET handler that changes state, such as a chat that is saved and charged. */
export const Changes = () => SetMetadata(CHANGES, true);

export const AUTH_COOKIE = 'auth_token';

/** Runs before every public handler: starts the deadline, counts the rates, and authenticates the caller. */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly reflector: Reflector,
    private readonly sessions: SessionService,
    private readonly limits: RateLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const deadline = this.reflector.getAllAndOverride<DeadlineName | undefined>(DEADLINE, targets) ?? 'default_ms';
    const call: PublicCall & Partial<UserCall> = openCall(request, reply, {
      limitMs: this.config.deadlines[deadline],
      floorMs: this.config.deadlines.floor_ms,
    });
    if (call.deadlineMs <= performance.now()) {
      throw new Problem({
        status: 504,
        code: 'deadline',
        detail: 'x-request-timeout-ms: no time is left for the request',
      });
    }
    if (isPublic(this.reflector, context)) return true;

    await this.limits.countAddress(addressOf(request), reply);
    const { token, fromCookie } = tokenOf(request);
    if (fromCookie) refuseCrossSite(request, this.reflector.getAllAndOverride<boolean>(CHANGES, targets) ?? false);
    const { user, key, graceFor } = await this.sessions.verify(token, call);
    if (key !== undefined) requireScope(key, context, this.reflector);
    const degradation = new Degradation();
    if (graceFor !== undefined) degradation.add('auth', graceFor, 'grace');
    await this.limits.countUser(user.user_id, reply);
    if (this.reflector.getAllAndOverride<boolean>(OPERATOR, targets) && !user.operator) {
      throw new Problem({ status: 403, code: 'operators_only', detail: 'Only an operator may do this.' });
    }
    Object.assign(call, { user, userId: user.user_id, token, key, degradation } satisfies Partial<UserCall>);
    return true;
  }
}

export function tokenOf(request: FastifyRequest): { token: string; fromCookie: boolean } {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const match = /^Bearer +([A-Za-z0-9._~+/-]{1,8192}=*)$/i.exec(authorization);
    if (match?.[1] === undefined) throw unauthorized('token_malformed', 'Authorization: "Bearer <token>" is needed');
    return { token: match[1], fromCookie: false };
  }
  const cookie = request.cookies[AUTH_COOKIE];
  if (cookie === undefined || cookie === '') {
    throw unauthorized(
      'token_missing',
      `Sign in first: a token is needed, as "Authorization: Bearer <token>" or as the cookie ${AUTH_COOKIE}`,
    );
  }
  return { token: cookie, fromCookie: true };
}

/**
 * A browser sends the cookie with requests of any site, so a change of state is accepted from our own pages only. A
 * link on another site is followed with GET and without an origin: for these the request must prove that it comes from
 * our own pages.
 * @param changes whether a GET changes state too
 */
export function refuseCrossSite(request: FastifyRequest, changes = false): void {
  const read = request.method === 'GET' || request.method === 'HEAD';
  if (read && !changes) return;
  const { origin, referer } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const ours = site !== undefined ? site === 'same-origin' || (site === 'none' && !read) : undefined;
  const from = origin ?? referer;
  if (ours ?? (from === undefined ? !read : hostOf(from) === request.hostname)) return;
  throw new Problem({
    status: 403,
    code: 'cross_site',
    detail: read
      ? 'A chat by GET and cookie is taken from our own pages only; use POST, or an Authorization header.'
      : 'A change by cookie is taken from the same site only; use an Authorization header.',
  });
}

/** The host without its port: a proxy may remove the port from Host, and cookies are not bound to ports. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).hostname : undefined;
}
