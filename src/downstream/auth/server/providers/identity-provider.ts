import type { z } from 'zod';
import type { authContract, User } from '../../auth.contract.js';

export type Session = z.output<typeof authContract.login.response>;
export type Verification = z.output<typeof authContract.verify.response>;

/** The source of the accounts. Addresses are passed normalised and passwords checked for length. */
export abstract class IdentityProvider {
  /**
   * @param invitation the digest of one that the account uses up
   * @throws Problem 409 `email_taken`; 403 `invitation_invalid` where it was used meanwhile
   */
  abstract register(email: string, password: string, invitation?: string): Promise<User>;
  /**
   * Undefined where address and password do not match; takes as long for an unknown account as for a wrong password.
   */
  abstract login(email: string, password: string): Promise<Session | undefined>;
  abstract verify(token: string): Promise<Verification>;
  /** The user with this id, for one of the user's API keys; undefined where the user no longer exists. */
  abstract user(userId: string): Promise<User | undefined>;
  /** The users with an address, as far as this server has seen them. */
  abstract usersByEmail(email: string): Promise<User[]>;
  /**
   * Deletes what is kept here of a user, and ends the sessions of sign-ins until `endedAtMs` (milliseconds since 1970). An
   * account that an external provider keeps stays there.
   */
  abstract close(userId: string, endedAtMs: number): Promise<void>;
  /** Whether the token is revoked now; false where it was not valid. */
  abstract revoke(token: string): Promise<boolean>;
}
