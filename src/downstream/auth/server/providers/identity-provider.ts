import type { z } from 'zod';
import type { authContract, User } from '../../auth.contract.js';

export type Session = z.output<typeof authContract.login.response>;
export type Verification = z.output<typeof authContract.verify.response>;

/** Who knows the accounts. Addresses arrive normalised, passwords checked. */
export abstract class IdentityProvider {
  /** @throws Problem 409 `email_taken` */
  abstract register(email: string, password: string): Promise<User>;
  /** Undefined where the pair is not good; takes as long for an unknown account as for a wrong password. */
  abstract login(email: string, password: string): Promise<Session | undefined>;
  abstract verify(token: string): Promise<Verification>;
  /** The user with this id, for an API key of theirs; undefined: there is none any more. */
  abstract user(userId: string): Promise<User | undefined>;
  /** The users with an address, as far as they were seen here. */
  abstract usersByEmail(email: string): Promise<User[]>;
  /** Whether the token is revoked now; false for one that was no good anyway. */
  abstract revoke(token: string): Promise<boolean>;
}
