import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';
import type { User } from '../auth.contract.js';
import { addressOf, normalised } from './address.js';
import { GuessLimiter } from './guess-limiter.js';
import { Admission } from './invitations/admission.js';
import { InvitationStore } from './invitations/invitation-store.js';
import { KEY_PREFIX, KeyStore } from './keys/key-store.js';
import { IdentityProvider, type Session, type Verification } from './providers/identity-provider.js';

interface Credentials {
  email: string;
  password: string;
  address?: string | undefined;
}

interface Registration extends Credentials {
  /** The token of one. */
  invitation?: string | undefined;
}

interface Confirmation {
  token: string;
  password?: string | undefined;
  address?: string | undefined;
}

const MAX_PASSWORD_LENGTH = 1024;
const NEVER = '9999-12-31T23:59:59.999Z';

@Injectable()
export class AuthService {
  constructor(
    private readonly identities: IdentityProvider,
    private readonly guesses: GuessLimiter,
    private readonly keys: KeyStore,
    private readonly admission: Admission,
    private readonly invitations: InvitationStore,
    @InjectConfig() private readonly config: Config,
  ) {}

  /**
   * @throws Problem 403 where {@link Admission} refuses; 422 `email_invalid`, `password_too_short`, `password_too_long`; 409 `email_taken`; 429
   * `too_many_attempts` for a client address that tried many taken ones
   */
  async register({ email, password, address: from, invitation }: Registration): Promise<User> {
    const admitted = await this.admission.admit(normalised(email), invitation);
    const address = addressOf(email);
    const length = lengthOf(password);
    const { min_password_length: min } = this.config.auth;
    if (length < min) {
      throw refused('password_too_short', `password: ${length} characters are too few; at least ${min} are needed`);
    }
    if (length > MAX_PASSWORD_LENGTH) {
      throw refused('password_too_long', `password: ${length} characters are too many; at most ${MAX_PASSWORD_LENGTH}`);
    }
    let taken: Problem | undefined;
    const user = await this.guesses.lookUp(from, () =>
      this.identities.register(address, password, admitted).catch((error: unknown) => {
        if (!(error instanceof Problem && error.problem.code === 'email_taken')) throw error;
        taken = error;
        return undefined;
      }),
    );
    if (user === undefined) throw taken as Problem;
    return user;
  }

  /** @throws Problem 401 `invalid_credentials`, 429 `too_many_attempts` */
  async login({ email, password, address }: Credentials): Promise<Session> {
    const account = normalised(email);
    const session = await this.guesses.attempt(account, address, () =>
      // No account has such a password. An empty one is checked in its place, so that the answer takes as long.
      this.identities.login(account, lengthOf(password) > MAX_PASSWORD_LENGTH ? '' : password),
    );
    if (session !== undefined) return session;
    throw invalidCredentials();
  }

  /**
   * Throws unless the owner of the token's account has signed in recently, or sends the password.
   * @throws Problem 401 `token_invalid`, `invalid_credentials`; 403 `sign_in_again`; 429 `too_many_attempts`
   */
  async confirmOwner({ token, password, address }: Confirmation): Promise<void> {
    const found = await this.verify(token);
    if (!found.active || found.key !== undefined) {
      throw new Problem({ status: 401, code: 'token_invalid', detail: 'The token is not that of a session.' });
    }
    if (password !== undefined) {
      const { user } = await this.login({ email: found.user.email, password, address });
      if (user.user_id === found.user.user_id) return;
      throw invalidCredentials();
    }
    const { fresh_session_ms: freshMs } = this.config.auth;
    if (found.signed_in_at !== undefined && Date.now() - Date.parse(found.signed_in_at) <= freshMs) return;
    throw new Problem({
      status: 403,
      code: 'sign_in_again',
      detail: `password: it is needed, because you signed in more than ${Math.round(freshMs / 1000)} s ago; or sign in again and use the new token.`,
    });
  }

  async closeAccount(userId: string, endedAtMs: number): Promise<void> {
    await this.identities.close(userId, endedAtMs);
    await this.keys.deleteAll(userId, new Date(endedAtMs).toISOString());
    await this.invitations.forgetUser(userId);
  }

  usersByEmail(email: string): Promise<User[]> {
    return this.identities.usersByEmail(normalised(email));
  }

  verify(token: string): Promise<Verification> {
    return token.startsWith(KEY_PREFIX) ? this.verifyKey(token) : this.identities.verify(token);
  }

  /** @throws Problem 422 for an API key, which is revoked by its id */
  revoke(token: string): Promise<boolean> {
    if (!token.startsWith(KEY_PREFIX)) return this.identities.revoke(token);
    throw refused('key_not_session', 'An API key is no session; revoke it with DELETE /v1/api/keys/{id}.');
  }

  private async verifyKey(token: string): Promise<Verification> {
    const use = await this.keys.use(token);
    if (typeof use === 'string') return { active: false, reason: use };
    const user = await this.identities.user(use.userId);
    if (user === undefined) return { active: false, reason: 'unknown' };
    // A key acts for the user, but never as an operator.
    return {
      active: true,
      user: { ...user, operator: false },
      expires_at: use.key.expires_at ?? NEVER,
      key: use.key,
    };
  }
}

const invalidCredentials = () =>
  new Problem({
    status: 401,
    code: 'invalid_credentials',
    detail: 'The address and the password do not go together.',
  });

/** In Unicode code points, which is close to the characters that a person counts. */
const lengthOf = (password: string) => [...password].length;

const refused = (code: string, detail: string) => new Problem({ status: 422, code, detail });
