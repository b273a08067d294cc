import { hash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { Problem } from '../../../../http/problem.js';
import type { User } from '../../auth.contract.js';
import { isSessionToken, type SessionTokens, timesOf, type TokenClaims } from '../tokens/session-tokens.js';
import { IdentityProvider, type Session, type Verification } from './identity-provider.js';
import type { IdentityToolkit } from './identity-toolkit.js';
import type { AccountChecks } from './account-checks.js';
import type { IssuedIdentities } from './issued-identities.js';
import type { SealedText } from './sealed-text.js';
import { userIdOf } from './seen-users.js';

/** How it is found out that an account was disabled or deleted, or that its tokens were revoked. */
export interface Rechecking {
  checks: AccountChecks;
  sealed: SealedText;
}

/**
 * Firebase accounts. ID tokens are verified with Firebase's published keys. Firebase checks a sign-in by password; the
 * session is then one of this server, which lives as long as a local one and works while Firebase is unavailable. The
 * session holds Firebase's refresh token, encrypted, with which the account is checked again from time to time.
 */
export class FirebaseIdentityProvider extends IdentityProvider {
  constructor(
    private readonly identities: IssuedIdentities,
    private readonly toolkit: IdentityToolkit,
    private readonly sessions: SessionTokens,
    private readonly options: { requireVerifiedEmail: boolean; rechecking: Rechecking | undefined },
  ) {
    super();
  }

  async register(email: string, password: string): Promise<User> {
    const idToken = await this.toolkit.signUp(email, password);
    // The account exists now. If this call fails, the first sign-in sends the link.
    if (this.options.requireVerifiedEmail) await this.toolkit.sendVerification(idToken).catch(() => undefined);
    const { sub } = claimsOf(idToken);
    return (await this.identities.user(userIdOf(sub))) ?? { user_id: userIdOf(sub), email, operator: false };
  }

  async login(email: string, password: string): Promise<Session | undefined> {
    const signedIn = await this.toolkit.signIn(email, password);
    if (signedIn === undefined) return undefined;
    const { idToken, refreshToken } = signedIn;
    const user = await this.identities.admit(claimsOf(idToken));
    if (user === undefined) {
      await this.toolkit.sendVerification(idToken);
      throw unverified(email);
    }
    const { rechecking } = this.options;
    const { token, tokenId, expiresAt } = await this.sessions.issue(
      user.user_id,
      await rechecking?.sealed.seal(refreshToken),
    );
    rechecking?.checks.passed(tokenId);
    return { token, expires_at: new Date(expiresAt).toISOString(), user };
  }

  async verify(token: string): Promise<Verification> {
    if (!isSessionToken(token)) return this.verifyIdToken(token);
    const claims = await this.sessions.read(token);
    if (typeof claims === 'string') return { active: false, reason: claims };
    if (await this.hasEnded(claims)) {
      await this.sessions.revoke(token);
      return { active: false, reason: 'revoked' };
    }
    if (await this.identities.hasEnded(claims.userId, claims.issuedAt)) return { active: false, reason: 'revoked' };
    const user = await this.identities.user(claims.userId);
    if (user === undefined) return { active: false, reason: 'unknown' };
    return { active: true, user, ...timesOf(claims) };
  }

  private async verifyIdToken(token: string): Promise<Verification> {
    const found = await this.identities.verify(token);
    const checks = this.options.rechecking?.checks;
    if (!found.active || checks === undefined) return found;
    const id = hash('sha256', token, 'base64url');
    if (!(await checks.hasEnded(id, () => this.toolkit.isRevoked(token)))) return found;
    await this.identities.revoke(token);
    return { active: false, reason: 'revoked' };
  }

  private async hasEnded({ tokenId, sealed }: TokenClaims): Promise<boolean> {
    const { rechecking } = this.options;
    if (rechecking === undefined || sealed === undefined) return false;
    const refreshToken = await rechecking.sealed.open(sealed);
    // The secret was replaced: without it the account can't be checked any more.
    if (refreshToken === undefined) return true;
    return rechecking.checks.hasEnded(tokenId, () => this.toolkit.isEnded(refreshToken));
  }

  async user(userId: string): Promise<User | undefined> {
    return this.identities.user(userId);
  }

  async usersByEmail(email: string): Promise<User[]> {
    return this.identities.usersByEmail(email);
  }

  close(userId: string, endedAtMs: number): Promise<void> {
    return this.identities.close(userId, endedAtMs);
  }

  revoke(token: string): Promise<boolean> {
    return isSessionToken(token) ? this.sessions.revoke(token) : this.identities.revoke(token);
  }
}

/**
 * The claims of a token that Firebase has just returned over this server's own connection. Verifying its signature
 * would add nothing, and the emulator makes none. Never used for a token that a caller sends.
 */
function claimsOf(idToken: string): { sub: string } & Record<string, unknown> {
  return decodeJwt<{ sub: string }>(idToken);
}

const unverified = (email: string) =>
  new Problem({
    status: 403,
    code: 'email_unverified',
    detail: `${email} is not confirmed yet; open the link that has just been sent there, then sign in.`,
  });
