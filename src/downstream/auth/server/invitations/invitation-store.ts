import { randomBytes, randomUUID } from 'node:crypto';
import type { Invitation } from '../../auth.contract.js';
import { digestOf } from '../keys/key-store.js';

/** By which secret scanners find a leaked invitation. */
const PREFIX = 'cdxinv_';
const TOKEN_BYTES = 32;
/** How long an expired invitation is listed. */
export const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

export type NewInvitation = Pick<Invitation, 'email' | 'expires_at' | 'created_by'>;

/**
 * Invitations to make an account, each for one. Only a SHA-256 digest of the token is stored: a token has 256 random
 * bits, so a slow hash would add no protection. {@link AccountStore.addInvited} uses one up.
 */
export abstract class InvitationStore {
  /**
   * Creates an invitation, unless there are `most` unused ones already. Deletes those that expired long ago.
   * @returns the token, which is not stored
   */
  abstract create(given: NewInvitation, most: number): Promise<{ token: string; stored: Invitation } | undefined>;
  /** Newest first. */
  abstract list(most: number): Promise<Invitation[]>;
  /** False where there is no such invitation. */
  abstract delete(id: string): Promise<boolean>;
  /** Deletes the invitation that a user used, with the address in it. */
  abstract forgetUser(userId: string): Promise<void>;
  /** The invitation with a token; undefined where it is unknown, used or expired. */
  abstract valid(token: string): Promise<Invitation | undefined>;
}

/** A new invitation, and what is stored of it. */
export function newInvitation(given: NewInvitation, createdAt: string) {
  const token = PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const stored: Invitation = { ...given, id: randomUUID(), created_at: createdAt, used_at: null, used_by: null };
  return { token, digest: digestOf(token), stored };
}

export type InvitationRow = Omit<Invitation, 'id'> & { invitation_id: string };

export function invitationOf(row: InvitationRow): Invitation {
  const { invitation_id: id, email, created_by, created_at, expires_at, used_at, used_by } = row;
  return { id, email, created_by, created_at, expires_at, used_at, used_by };
}
