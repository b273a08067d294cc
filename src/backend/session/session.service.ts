import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { AuthClient } from '../../downstream/auth/auth.client.js';
import type { ApiKey, TokenFault, User } from '../../downstream/auth/auth.contract.js';
import { Problem } from '../../http/problem.js';
import { REPLICAS } from '../../replicas/replicas.module.js';
import type { Replicas } from '../../replicas/replicas.js';
import { withoutRetries } from '../call/waiting.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

export interface Session {
  user: User;
  /** UTC, ISO 8601. */
  expiresAt: string;
  /** The key, where the token is an API key. */
  key?: ApiKey | undefined;
  /** Why the token could not be verified now; it was accepted because of an earlier verification. */
  graceFor?: DownstreamError;
}

interface Verified extends Session {
  expiresAtMs: number;
  /** On the scale of `performance.now()`. */
  verifiedAtMs: number;
}

const REMEMBERED = 50_000;
const SIGNED_OUT_MS = 60_000;
const SIGN_OUT = 'sign-out';
const KEY_REVOKED = 'key-revoked';
const ACCOUNT_DELETED = 'account-deleted';

const FAULTS: Record<TokenFault, string> = {
  malformed: 'The token is malformed',
  expired: 'The token is expired',
  revoked: 'The token is revoked',
  unknown: 'The token is unknown',
  wrong_issuer: 'The token is from another issuer',
  wrong_audience: 'The token was made for another audience',
  email_unverified: 'The address of the account is not verified',
};
/** Auth works, but the identity provider that it needs for the answer is unavailable. */
const PROVIDER_AWAY = 424;

/** Authenticates callers: the auth server verifies tokens, and verified ones are cached for some time. */
@Injectable()
export class SessionService {
  /** By digest, so that no token stays in memory longer than its request. */
  private readonly verified = new LRUCache<string, Verified>({ max: REMEMBERED });
  private readonly inFlight = new Map<string, Promise<Session>>();
  /** Digests of signed-out tokens: a verification that had begun before does not bring them back into the cache. */
  private readonly signedOut = new LRUCache<string, true>({ max: REMEMBERED, ttl: SIGNED_OUT_MS });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly auth: AuthClient,
    @Inject(REPLICAS) private readonly replicas: Replicas | null,
    private readonly log: PinoLogger,
  ) {
    replicas?.on(SIGN_OUT, (key) => this.forget(String(key)));
    replicas?.on(KEY_REVOKED, (keyId) => this.dropKey(String(keyId)));
    replicas?.on(ACCOUNT_DELETED, (userId) => this.dropUser(String(userId)));
  }

  register(
    body: { email: string; password: string; address: string; invitation?: string | undefined },
    call: CallContext,
  ): Promise<{ user: User }> {
    return critical(this.auth.register({ body }, call));
  }

  login(body: { email: string; password: string; address: string }, call: CallContext) {
    return critical(this.auth.login({ body }, call));
  }

  /** @returns the user, where the token was verified recently */
  async logout(token: string, call: CallContext): Promise<string | undefined> {
    const key = digest(token);
    const known = this.verified.get(key);
    this.verified.delete(key);
    await critical(this.auth.revoke({ body: { token } }, call));
    this.forget(key);
    await this.announce(SIGN_OUT, key);
    return known?.user.user_id;
  }

  /** Removes a revoked key from the cache, also while its verification is recent. */
  async forgetKey(keyId: string): Promise<void> {
    this.dropKey(keyId);
    await this.announce(KEY_REVOKED, keyId);
  }

  /** Removes the sessions and keys of a deleted account from the cache. */
  async forgetUser(userId: string): Promise<void> {
    this.dropUser(userId);
    await this.announce(ACCOUNT_DELETED, userId);
  }

  private forget(key: string): void {
    this.signedOut.set(key, true);
    this.verified.delete(key);
  }

  private dropKey(keyId: string): void {
    for (const [digest, { key }] of this.verified.entries()) if (key?.id === keyId) this.forget(digest);
  }

  private dropUser(userId: string): void {
    for (const [digest, { user }] of this.verified.entries()) if (user.user_id === userId) this.forget(digest);
  }

  /** Tells the other backends, which may have the token in their caches. */
  private async announce(topic: string, subject: string): Promise<void> {
    await this.replicas?.announce(topic, subject).catch((error: unknown) => {
      const limitMs = this.config.session.fresh_ms;
      this.log.error(
        { err: error },
        `A sign-out could not be announced: other backends learn of it within ${limitMs} ms`,
      );
    });
  }

  /**
   * The session of a token. A token verified within `session.fresh_ms` is accepted without a call, and while auth is
   * unavailable one verified within `session.grace_ms`.
   * @throws Problem 401 for an invalid token, 503 where auth is unavailable and the token is not cached
   */
  async verify(token: string, call: CallContext): Promise<Session> {
    const key = digest(token);
    const known = this.verified.get(key);
    if (known !== undefined && this.isGood(known, this.config.session.fresh_ms)) return known;
    // Concurrent requests with the same token share one verification.
    const running = this.inFlight.get(key) ?? this.ask(token, key, known, call);
    this.inFlight.set(key, running);
    return running;
  }

  private async ask(token: string, key: string, known: Verified | undefined, call: CallContext): Promise<Session> {
    try {
      // Not the caller's signal, because other callers may wait for the same answer.
      const shared: CallContext = { ...call, signal: undefined };
      const ask = (context: CallContext) => this.auth.verify({ body: { token } }, context);
      const hasGrace = known !== undefined && this.isGood(known, this.config.session.grace_ms);
      const answer = await (hasGrace ? withoutRetries('auth', shared, ask) : ask(shared));
      if (!answer.active) {
        this.verified.delete(key);
        throw unauthorized(`token_${answer.reason}`, `${FAULTS[answer.reason]}; sign in again.`);
      }
      const session = { user: answer.user, expiresAt: answer.expires_at, key: answer.key };
      const expiresAtMs = Date.parse(answer.expires_at);
      if (!this.signedOut.has(key)) {
        this.verified.set(key, { ...session, expiresAtMs, verifiedAtMs: performance.now() });
      }
      return session;
    } catch (error) {
      if (!(error instanceof DownstreamError)) throw error;
      const stillKnown = known !== undefined && this.verified.has(key);
      if (stillKnown && this.isGood(known, this.config.session.grace_ms)) return { ...known, graceFor: error };
      throw unavailable(error);
    } finally {
      this.inFlight.delete(key);
    }
  }

  private isGood(session: Verified, ageMs: number): boolean {
    return session.expiresAtMs > Date.now() && performance.now() - session.verifiedAtMs < ageMs;
  }
}

export const unauthorized = (code: string, detail: string) => new Problem({ status: 401, code, detail });

const digest = (token: string) => hash('sha256', token, 'base64');

/** Auth is critical: while it is unavailable, a call to it leads to 503 with `Retry-After`. */
export async function critical<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof DownstreamError)) throw error;
    if (error.reason === 'rejected' && error.status !== PROVIDER_AWAY) throw error;
    throw error.status === 429 ? tooManyGuesses(error) : unavailable(error);
  }
}

function tooManyGuesses({ retryAfterMs = 1000 }: DownstreamError): Problem {
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const detail = `Too many wrong passwords; come back in ${retryAfter} s.`;
  return new Problem({ status: 429, code: 'too_many_guesses', detail, retryAfter });
}

/**
 * The auth server cannot verify the token. The answer is 503, because a valid token must not be reported as invalid.
 */
function unavailable(error: DownstreamError): Problem {
  return new Problem({
    status: 503,
    code: 'auth_unavailable',
    detail: `Signing in can't be checked at the moment (${error.reason}); try again.`,
    retryAfter: Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000)),
  });
}
