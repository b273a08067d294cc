import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { TokenFault } from '../../auth.contract.js';
import type { PublishedKeys } from './published-keys.js';

/** The longest token that the backend accepts from a client. */
const MAX_TOKEN_CHARS = 8192;
/** The largest accepted difference between the issuer's clock and ours. */
const CLOCK_TOLERANCE_S = 5;

export type IssuedClaims = JWTPayload & { sub: string; exp: number };

export interface TokenRules {
  issuer: string;
  audience: string;
  /** Asymmetric algorithms only: `none` and shared secrets are refused because they are not listed. */
  algorithms: readonly string[];
}

export interface TokenReader {
  /** The claims of a token, or why it is not valid. @throws Problem 424 while the issuer is unavailable */
  read(token: string): Promise<IssuedClaims | TokenFault>;
}

/** Verifies the signed tokens (RFC 7519) of an external issuer. */
export class IssuedTokens implements TokenReader {
  constructor(
    private readonly keys: PublishedKeys,
    private readonly rules: TokenRules,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The claims of a token, or why it is not valid. `unknown`: its key is not published.
   * @throws Problem 424 while the keys cannot be fetched and the token's key is not cached
   */
  async read(token: string): Promise<IssuedClaims | TokenFault> {
    if (token.length > MAX_TOKEN_CHARS) return 'malformed';
    const { issuer, audience, algorithms } = this.rules;
    try {
      const { payload } = await jwtVerify(token, (header, input) => this.keys.keyFor(header, input), {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['sub', 'exp', 'iat'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(this.now()),
      });
      const issuedAhead = Number(payload.iat) > this.now() / 1000 + CLOCK_TOLERANCE_S;
      return payload.sub === '' || issuedAhead ? 'malformed' : (payload as IssuedClaims);
    } catch (error) {
      return faultOf(error);
    }
  }
}

/** The fault that an error of `jose` stands for; other errors are thrown again. */
export function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'wrong_issuer';
    if (error.claim === 'aud') return 'wrong_audience';
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) return 'malformed';
  throw error;
}
