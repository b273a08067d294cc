import { randomUUID } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';
import type { RevokedTokens } from './revoked-tokens.js';
import { ALGORITHM, type SigningKeys } from './signing-keys.js';

const ISSUER = 'caudex';
/** Ours have some 400 characters. */
const MAX_TOKEN_CHARS = 4096;

export interface TokenClaims {
  tokenId: string;
  userId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Sessions as signed JWTs (RFC 7519): who, until when, and an id to revoke it by; nothing about the person. */
export class SessionTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly ttlMs: number,
    private readonly revoked: RevokedTokens,
    private readonly now: () => number = Date.now,
  ) {}

  async issue(userId: string): Promise<{ token: string; expiresAt: number }> {
    const { kid, privateKey } = await this.keys.current();
    const issuedAt = Math.floor(this.now() / 1000);
    const expiresAt = issuedAt + Math.ceil(this.ttlMs / 1000);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    return { token, expiresAt: expiresAt * 1000 };
  }

  /** What a token says, or why it says nothing: `unknown` is one signed by a key that is not (any longer) here. */
  async read(token: string): Promise<TokenClaims | 'malformed' | 'expired' | 'unknown' | 'revoked'> {
    const claims = await this.verified(token);
    return typeof claims !== 'string' && this.revoked.has(claims.tokenId) ? 'revoked' : claims;
  }

  /** Whether the token is revoked now; false for one that was no good anyway. */
  async revoke(token: string): Promise<boolean> {
    const claims = await this.read(token);
    if (typeof claims === 'string') return claims === 'revoked';
    this.revoked.add(claims.tokenId, claims.expiresAt);
    return true;
  }

  private async verified(token: string): Promise<TokenClaims | 'malformed' | 'expired' | 'unknown'> {
    if (token.length > MAX_TOKEN_CHARS) return 'malformed';
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.keyOf(kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        requiredClaims: ['sub', 'jti', 'exp'],
        currentDate: new Date(this.now()),
      });
      const { sub, jti, exp } = payload as { sub: string; jti: string; exp: number };
      return { tokenId: jti, userId: sub, expiresAt: exp * 1000 };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'expired';
      if (error instanceof UnknownKey) return 'unknown';
      if (error instanceof errors.JOSEError || error instanceof TypeError) return 'malformed';
      throw error;
    }
  }

  private keyOf(kid: string | undefined) {
    const key = kid === undefined ? undefined : this.keys.verifying(kid);
    if (key === undefined) throw new UnknownKey();
    return key;
  }
}

/** Whether the token claims to be one of ours. It says nothing of its signature. */
export function isSessionToken(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER;
  } catch {
    return false;
  }
}

class UnknownKey extends Error {}
