import { randomUUID } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose';
import type { RevokedTokens } from './revoked-tokens.js';
import { ALGORITHM, type SigningKeys } from './signing-keys.js';

const ISSUER = 'caudex';
/** The tokens of this server have about 400 characters. */
const MAX_TOKEN_CHARS = 4096;

export interface TokenClaims {
  tokenId: string;
  userId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Sessions as signed JWTs (RFC 7519). A token holds the user id, the expiry and a token id for revocation, and no
 * personal data.
 */
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

  /**
   * The claims of a token, or why it is not valid. `unknown`: the key that signed it is not, or no longer, stored here.
   */
  async read(token: string): Promise<TokenClaims | 'malformed' | 'expired' | 'unknown' | 'revoked'> {
    const claims = await this.verified(token);
    return typeof claims !== 'string' && (await this.revoked.has(claims.tokenId)) ? 'revoked' : claims;
  }

  /** Whether the token is revoked now; false where it was not valid. */
  async revoke(token: string): Promise<boolean> {
    const claims = await this.read(token);
    if (typeof claims === 'string') return claims === 'revoked';
    await this.revoked.add(claims.tokenId, claims.expiresAt);
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

  private async keyOf(kid: string | undefined) {
    const key = kid === undefined ? undefined : await this.keys.verifying(kid);
    if (key === undefined) throw new UnknownKey();
    return key;
  }
}

/** Whether the token names this server as its issuer. The signature is not checked. */
export function isSessionToken(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER;
  } catch {
    return false;
  }
}

class UnknownKey extends Error {}
