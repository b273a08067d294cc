import { hash } from 'node:crypto';
import type { User } from '../../auth.contract.js';

/**
 * The users of an external provider, each with the data of the last valid token. An API key for a user works without a
 * token. Of a user who deleted the account here, only the time of that is kept.
 */
export abstract class SeenUsers {
  abstract remember(user: User): Promise<void>;
  abstract byId(userId: string): Promise<User | undefined>;
  abstract forget(userId: string, endedAtMs: number): Promise<void>;
  /** When the user last deleted the account here, in milliseconds since 1970. Older sign-ins are not valid. */
  abstract endedAtMs(userId: string): Promise<number | undefined>;
  /** By an address in lower case. */
  abstract byEmail(email: string): Promise<User[]>;
}

/** The characters of a user id, see `http/caller.ts`. A subject with the prefix would be confused with a digest. */
const PLAIN_SUBJECT = /^(?!sub_)[A-Za-z0-9_-]{1,128}$/;

/**
 * The user id for a token's subject: the subject itself, or its digest where the subject is not usable as a folder
 * name.
 */
export function userIdOf(subject: string): string {
  return PLAIN_SUBJECT.test(subject) ? subject : `sub_${hash('sha256', subject, 'base64url')}`;
}
