import { decodeJwt } from 'jose';
import { Problem } from '../../../../http/problem.js';
import type { User } from '../../auth.contract.js';
import { isSessionToken, type SessionTokens } from '../tokens/session-tokens.js';
import { IdentityProvider, type Session, type Verification } from './identity-provider.js';
import type { IdentityToolkit } from './identity-toolkit.js';
import type { IssuedIdentities } from './issued-identities.js';
import { userIdOf } from './seen-users.js';

/**
 * Firebase accounts. ID tokens are verified with Firebase's published keys. Firebase checks a sign-in by password; the
 * session is then one of this server, which lives as long as a local one and works while Firebase is unavailable.
 */
export class FirebaseIdentityProvider extends IdentityProvider {
  constructor(
    private readonly identities: IssuedIdentities,
    private readonly toolkit: IdentityToolkit,
    private readonly sessions: SessionTokens,
    private readonly requireVerifiedEmail: boolean,
  ) {
    super();
  }

  async register(email: string, password: string): Promise<User> {
    const idToken = await this.toolkit.signUp(email, password);
    // The account exists now. If this call fails, the first sign-in sends the link.
    if (this.requireVerifiedEmail) await this.toolkit.sendVerification(idToken).catch(() => undefined);
    const { sub } = claimsOf(idToken);
    return (await this.identities.user(userIdOf(sub))) ?? { user_id: userIdOf(sub), email, operator: false };
  }

  async login(email: string, password: string): Promise<Session | undefined> {
    const idToken = await this.toolkit.signIn(email, password);
    if (idToken === undefined) return undefined;
    const user = await this.identities.admit(claimsOf(idToken));
    if (user === undefined) {
      await this.toolkit.sendVerification(idToken);
      throw unverified(email);
    }
    const { token, expiresAt } = await this.sessions.issue(user.user_id);
    return { token, expires_at: new Date(expiresAt).toISOString(), user };
  }

  async verify(token: string): Promise<Verification> {
    if (!isSessionToken(token)) return this.identities.verify(token);
    const claims = await this.sessions.read(token);
    if (typeof claims === 'string') return { active: false, reason: claims };
    const user = await this.identities.user(claims.userId);
    if (user === undefined) return { active: false, reason: 'unknown' };
    return { active: true, user, expires_at: new Date(claims.expiresAt).toISOString() };
  }

  async user(userId: string): Promise<User | undefined> {
    return this.identities.user(userId);
  }

  async usersByEmail(email: string): Promise<User[]> {
    return this.identities.usersByEmail(email);
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
