import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { ApiKey, KeyScope } from '../../auth.contract.js';

/**
 * The prefix of every key, by which secret scanners find a leaked one and which distinguishes it from a session token.
 */
export const KEY_PREFIX = 'cdx_';
const KEY_BYTES = 32;
/** The shortest time between two writes of a key's last use. */
export const USED_EVERY_MS = 60_000;

export interface NewKey {
  name: string;
  scopes: readonly KeyScope[];
  project_id: string | null;
  expires_at: string | null;
}

/** The owner of a key, and its permissions. */
export interface KeyUse {
  userId: string;
  key: ApiKey;
}

/**
 * API keys. Only a SHA-256 digest is stored: a key has 256 random bits, so a slow hash would add no protection and
 * would slow down every request.
 */
export abstract class KeyStore {
  /**
   * Creates a key, unless the user has `most` already.
   * @returns the key itself, which is not stored
   */
  abstract create(userId: string, key: NewKey, most: number): Promise<{ key: string; stored: ApiKey } | undefined>;
  /** Newest first. */
  abstract list(userId: string): Promise<ApiKey[]>;
  /** False where the user has no such key. */
  abstract delete(userId: string, keyId: string): Promise<boolean>;
  /** Deletes the keys that a user made until a time (UTC, ISO 8601). */
  abstract deleteAll(userId: string, until: string): Promise<void>;
  /** Finds the key and records its use. */
  abstract use(key: string): Promise<KeyUse | 'unknown' | 'expired'>;
}

export const digestOf = (key: string) => hash('sha256', key, 'base64url');

/** A new key, and what is stored of it. */
export function newKey(given: NewKey, createdAt: string): { key: string; digest: string; stored: ApiKey } {
  const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
  const stored = { ...given, id: randomUUID(), scopes: [...given.scopes], created_at: createdAt, last_used_at: null };
  return { key, digest: digestOf(key), stored };
}
