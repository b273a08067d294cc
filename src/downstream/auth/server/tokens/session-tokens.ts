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
  issuedAt: number;
  expiresAt: number;
  /** The encrypted refresh token of an external provider. */
  sealed?: string | undefined;
}

interface Payload {
  sub: string;
  jti: string;
  iat: number;
  exp: number;
  sealed?: string;
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

  /** @param sealed an encrypted text that is kept in the token, see {@link TokenClaims} */
  async issue(userId: string, sealed?: string): Promise<{ token: string; tokenId: string; expiresAt: number }> {
    const { kid, privateKey } = await this.keys.current();
    const issuedAt = Math.floor(this.now() / 1000);
    const expiresAt = issuedAt + Math.ceil(this.ttlMs / 1000);
    const tokenId = randomUUID();
    const token = await new SignJWT(sealed === undefined ? {} : { sealed })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(userId)
      .setJti(tokenId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(privateKey);
    return { token, tokenId, expiresAt: expiresAt * 1000 };
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
        requiredClaims: ['sub', 'jti', 'iat', 'exp'],
        currentDate: new Date(this.now()),
      });
      const { sub, jti, iat, exp, sealed } = payload as Payload;
      return { tokenId: jti, userId: sub, issuedAt: iat * 1000, expiresAt: exp * 1000, sealed };
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

/** The times of a token as the answer to its verification has them. */
export const timesOf = ({ issuedAt, expiresAt }: TokenClaims) => ({
  expires_at: new Date(expiresAt).toISOString(),
  signed_in_at: new Date(issuedAt).toISOString(),
});

/** Whether the token names this server as its issuer. The signature is not checked. */
export function isSessionToken(token: string): boolean {
  try {
    return decodeJwt(token).iss === ISSUER;
  } catch {
    return false;
  }
}

class UnknownKey extends Error {}
