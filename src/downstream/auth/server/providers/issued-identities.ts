import { hash } from 'node:crypto';
import type { User } from '../../auth.contract.js';
import type { RevokedTokens } from '../tokens/revoked-tokens.js';
import type { Verification } from './identity-provider.js';
import type { IssuedClaims, TokenReader } from './issued-tokens.js';
import { type SeenUsers, userIdOf } from './seen-users.js';

export interface ClaimRules {
  /** Whether the address must be verified. */
  requireVerifiedEmail: boolean;
  /** The claim that marks an operator, a path with dots where it is nested; null: no user is an operator. */
  operatorClaim: string | null;
  /** The value that the claim must equal or contain; a claim that is `true` also suffices. */
  operatorValue: string;
}

/** Maps the tokens of an external issuer to users. */
export class IssuedIdentities {
  constructor(
    private readonly tokens: TokenReader,
    private readonly revoked: RevokedTokens,
    private readonly users: SeenUsers,
    private readonly rules: ClaimRules,
  ) {}

  async verify(token: string): Promise<Verification> {
    const claims = await this.tokens.read(token);
    if (typeof claims === 'string') return { active: false, reason: claims };
    if (await this.revoked.has(idOf(token))) return { active: false, reason: 'revoked' };
    const signedInAtMs = signInOf(claims) * 1000;
    if (await this.hasEnded(userIdOf(claims.sub), Number(claims.iat) * 1000)) {
      return { active: false, reason: 'revoked' };
    }
    const user = await this.admit(claims);
    if (user === undefined) return { active: false, reason: 'email_unverified' };
    const [expires_at, signed_in_at] = [claims.exp * 1000, signedInAtMs].map((ms) => new Date(ms).toISOString());
    return { active: true, user, expires_at: expires_at as string, signed_in_at };
  }

  /** Whether the user has deleted the account since a token was issued. */
  async hasEnded(userId: string, issuedAtMs: number): Promise<boolean> {
    return issuedAtMs <= ((await this.users.endedAtMs(userId)) ?? -Infinity);
  }

  close(userId: string, endedAtMs: number): Promise<void> {
    return this.users.forget(userId, endedAtMs);
  }

  /** Records the user of valid claims and returns it; undefined where the address must be verified and is not. */
  async admit(claims: Pick<IssuedClaims, 'sub'> & Record<string, unknown>): Promise<User | undefined> {
    if (this.rules.requireVerifiedEmail && claims['email_verified'] !== true) return undefined;
    const user = {
      user_id: userIdOf(claims.sub),
      email: textOf(claims['email']) ?? textOf(claims['preferred_username']) ?? claims.sub,
      operator: this.isOperator(claims),
    };
    await this.users.remember(user);
    return user;
  }

  user(userId: string): Promise<User | undefined> {
    return this.users.byId(userId);
  }

  usersByEmail(email: string): Promise<User[]> {
    return this.users.byEmail(email);
  }

  /** Ends the session on this server only; the issuer is not informed. */
  async revoke(token: string): Promise<boolean> {
    const claims = await this.tokens.read(token);
    if (typeof claims === 'string') return false;
    await this.revoked.add(idOf(token), claims.exp * 1000);
    return true;
  }

  private isOperator(claims: Record<string, unknown>): boolean {
    const { operatorClaim, operatorValue } = this.rules;
    if (operatorClaim === null) return false;
    const claim = claimAt(claims, operatorClaim);
    return claim === true || claim === operatorValue || (Array.isArray(claim) && claim.includes(operatorValue));
  }
}

/** The signature is left out, because the same token can have several encodings of it. */
const idOf = (token: string) => `issued:${hash('sha256', token.slice(0, token.lastIndexOf('.')), 'base64url')}`;

/** A refreshed token is newer than the sign-in, whose time OpenID Connect Core 1.0 (section 2) has in `auth_time`. */
const signInOf = ({ iat, auth_time }: IssuedClaims) => (typeof auth_time === 'number' ? auth_time : Number(iat));

const textOf = (claim: unknown) => (typeof claim === 'string' && claim !== '' ? claim : undefined);

/** Some claim names are URLs and contain dots, so the whole name is looked up first. */
function claimAt(claims: Record<string, unknown>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      claims,
    );
}
