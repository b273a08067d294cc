import { decodeProtectedHeader, errors, UnsecuredJWT } from 'jose';
import type { TokenFault } from '../../auth.contract.js';
import type { IdentityToolkit } from './identity-toolkit.js';
import { faultOf, type IssuedClaims, type TokenReader, type TokenRules } from './issued-tokens.js';

/**
 * Reads the unsigned ID tokens of Firebase's Auth emulator, as Firebase's own server libraries do outside production. The
 * emulator confirms that the account of each token exists. Signed tokens are verified as usual.
 */
export class EmulatorTokens implements TokenReader {
  constructor(
    private readonly toolkit: IdentityToolkit,
    private readonly signed: TokenReader,
    private readonly rules: Pick<TokenRules, 'issuer' | 'audience'>,
  ) {}

  async read(token: string): Promise<IssuedClaims | TokenFault> {
    if (!isUnsigned(token)) return this.signed.read(token);
    let claims: IssuedClaims;
    try {
      claims = UnsecuredJWT.decode(token, this.rules).payload as IssuedClaims;
      if (!claims.sub || claims.exp === undefined) throw new errors.JWTInvalid('sub and exp are needed');
    } catch (error) {
      return faultOf(error);
    }
    return (await this.toolkit.isRevoked(token)) ? 'revoked' : claims;
  }
}

function isUnsigned(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg === 'none';
  } catch {
    return false;
  }
}
