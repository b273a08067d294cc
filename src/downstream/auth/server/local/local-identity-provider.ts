import { randomUUID } from 'node:crypto';
import { Problem } from '../../../../http/problem.js';
import type { User } from '../../auth.contract.js';
import type { Account, AccountStore } from './account-store.js';
import { IdentityProvider, type Session, type Verification } from '../providers/identity-provider.js';
import { invitationInvalid } from '../invitations/admission.js';
import type { PasswordHasher } from './password-hasher.js';
import { type SessionTokens, timesOf } from '../tokens/session-tokens.js';

/** This server's own accounts: passwords as scrypt hashes, sessions as tokens that this server signs. */
export class LocalIdentityProvider extends IdentityProvider {
  private readonly operators: ReadonlySet<string>;

  constructor(
    private readonly accounts: AccountStore,
    private readonly passwords: PasswordHasher,
    private readonly tokens: SessionTokens,
    operators: readonly string[],
  ) {
    super();
    this.operators = new Set(operators.map((email) => email.toLowerCase()));
  }

  async register(email: string, password: string, invitation?: string): Promise<User> {
    if ((await this.accounts.byEmail(email)) !== undefined) throw emailTaken(email);
    if (invitation === undefined) return this.create(email, password, false);
    const account = { user_id: randomUUID(), email, password_hash: await this.passwords.hash(password) };
    const outcome = await this.accounts.addInvited(account, invitation);
    if (outcome === 'taken') throw emailTaken(email);
    if (outcome === 'refused') throw invitationInvalid();
    return this.userOf(account);
  }

  /** Creates the demo account if it does not exist. */
  async ensureDemoAccount(email: string, password: string): Promise<void> {
    if ((await this.accounts.byEmail(email)) !== undefined) return;
    await this.create(email, password, true).catch((error: unknown) => {
      // Another auth server has created it meanwhile.
      if (!(error instanceof Problem && error.problem.code === 'email_taken')) throw error;
    });
  }

  async login(email: string, password: string): Promise<Session | undefined> {
    const account = await this.accounts.byEmail(email);
    if (!(await this.passwords.matches(password, account?.password_hash)) || account === undefined) return undefined;
    if (this.passwords.isOutdated(account.password_hash)) {
      await this.accounts.replaceHash(account.user_id, await this.passwords.hash(password));
    }
    const { token, expiresAt } = await this.tokens.issue(account.user_id);
    return { token, expires_at: new Date(expiresAt).toISOString(), user: this.userOf(account) };
  }

  async verify(token: string): Promise<Verification> {
    const claims = await this.tokens.read(token);
    if (typeof claims === 'string') return { active: false, reason: claims };
    const account = await this.accounts.byId(claims.userId);
    if (account === undefined) return { active: false, reason: 'unknown' };
    return { active: true, user: this.userOf(account), ...timesOf(claims) };
  }

  async user(userId: string): Promise<User | undefined> {
    const account = await this.accounts.byId(userId);
    return account && this.userOf(account);
  }

  async usersByEmail(email: string): Promise<User[]> {
    const account = await this.accounts.byEmail(email);
    return account === undefined ? [] : [this.userOf(account)];
  }

  /** Tokens of an account that does not exist are not valid, and no later account has its id. */
  close(userId: string): Promise<void> {
    return this.accounts.remove(userId);
  }

  revoke(token: string): Promise<boolean> {
    return this.tokens.revoke(token);
  }

  private async create(email: string, password: string, demo: boolean): Promise<User> {
    const account = { user_id: randomUUID(), email, password_hash: await this.passwords.hash(password), demo };
    if (!(await this.accounts.add(account))) throw emailTaken(email);
    return this.userOf(account);
  }

  private userOf({ user_id, email }: Account): User {
    return { user_id, email, operator: this.operators.has(email) };
  }
}

const emailTaken = (email: string) =>
  new Problem({ status: 409, code: 'email_taken', detail: `${email} has an account already; sign in with it.` });
