import { randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
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
  async read(token: string): Promise<TokenClaims | 'malformed' | 'expired' | 'unknown'> {
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

class UnknownKey extends Error {}
