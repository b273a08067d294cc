import { z } from 'zod';

export const storedKeySchema = z.strictObject({
  kid: z.string(),
  created_at: z.iso.datetime(),
  private_jwk: z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() }),
});
export type StoredKey = z.output<typeof storedKeySchema>;

/** The key pairs with which this installation signs its tokens. */
export abstract class SigningKeyStore {
  /** All keys, newest first. @throws Error naming a key that cannot be used */
  abstract load(): Promise<StoredKey[]>;
  /** Adds the key that `renew` makes for the newest one, unless it makes none; of several at once, one is added. */
  abstract renew(renew: (newest: StoredKey | undefined) => Promise<StoredKey | undefined>): Promise<void>;
  abstract remove(kid: string): Promise<void>;
}

export const newestFirst = (keys: readonly StoredKey[]) =>
  [...keys].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
