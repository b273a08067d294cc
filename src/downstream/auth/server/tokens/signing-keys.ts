import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import type { SigningKeyStore, StoredKey } from './signing-key-store.js';

export const ALGORITHM = 'EdDSA';
/** The shortest time between two looks for a key that is not known here. */
const RELOAD_MS = 1000;

interface SigningKey {
  kid: string;
  createdAt: number;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
}

export interface SigningKeysOptions {
  /** The age at which the signing key is replaced. */
  rotationMs: number;
  /** The lifetime of a token. A key is deleted this long after its last signature. */
  tokenTtlMs: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * Ed25519 key pairs. The newest one signs until it is `rotationMs` old; an older one verifies until every token that it
 * signed has expired, and is deleted then. Several servers can share a store: each finds the keys of the others.
 */
export class SigningKeys {
  private keys: SigningKey[] = [];
  private loadedAt = -Infinity;

  private constructor(
    private readonly store: SigningKeyStore,
    private readonly options: SigningKeysOptions,
  ) {}

  /** @throws Error naming a key that cannot be used */
  static async open(store: SigningKeyStore, options: SigningKeysOptions): Promise<SigningKeys> {
    const opened = new SigningKeys(store, options);
    await opened.load();
    await opened.current();
    return opened;
  }

  /** The key to sign with; a new one is made when the current one is too old. */
  async current(): Promise<{ kid: string; privateKey: CryptoKey }> {
    const newest = this.keys[0];
    if (newest !== undefined && !this.isOld(newest.createdAt)) return newest;
    await this.store.renew(async (stored) =>
      stored !== undefined && !this.isOld(Date.parse(stored.created_at)) ? undefined : makeKey(this.now()),
    );
    await this.load();
    await this.dropExpired();
    return this.keys[0] as SigningKey;
  }

  async verifying(kid: string): Promise<CryptoKey | undefined> {
    const known = this.find(kid);
    if (known !== undefined || performance.now() - this.loadedAt < RELOAD_MS) return known;
    await this.load();
    return this.find(kid);
  }

  private find(kid: string): CryptoKey | undefined {
    return this.keys.find((key) => key.kid === kid)?.publicKey;
  }

  private async load(): Promise<void> {
    this.loadedAt = performance.now();
    this.keys = await Promise.all((await this.store.load()).map(imported));
  }

  /** A key stopped signing when the next one was made. */
  private async dropExpired(): Promise<void> {
    const expired = this.keys.filter((_, index) => {
      const successor = this.keys[index - 1];
      return successor !== undefined && this.now() >= successor.createdAt + this.options.tokenTtlMs;
    });
    for (const { kid } of expired) await this.store.remove(kid);
    this.keys = this.keys.filter((key) => !expired.includes(key));
  }

  private isOld(createdAt: number): boolean {
    return this.now() >= createdAt + this.options.rotationMs;
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

async function makeKey(now: number): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const jwk = (await exportJWK(privateKey)) as StoredKey['private_jwk'];
  return { kid: await calculateJwkThumbprint(jwk), created_at: new Date(now).toISOString(), private_jwk: jwk };
}

async function imported({ kid, created_at, private_jwk }: StoredKey): Promise<SigningKey> {
  const { d: _, ...public_jwk } = private_jwk;
  return {
    kid,
    createdAt: Date.parse(created_at),
    privateKey: (await importJWK(private_jwk as JWK, ALGORITHM)) as CryptoKey,
    publicKey: (await importJWK(public_jwk as JWK, ALGORITHM)) as CryptoKey,
  };
}
