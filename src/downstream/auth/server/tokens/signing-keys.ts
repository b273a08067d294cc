import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { z } from 'zod';

export const ALGORITHM = 'EdDSA';

const keyFileSchema = z.strictObject({
  kid: z.string(),
  created_at: z.iso.datetime(),
  private_jwk: z.looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() }),
});

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
 * Ed25519 key pairs, one file each, readable by this user alone. The newest one signs until it is `rotationMs` old; an
 * older one verifies until every token that it signed has expired, and is deleted then.
 */
export class SigningKeys {
  private constructor(
    private readonly dir: string,
    private readonly options: SigningKeysOptions,
    private keys: SigningKey[],
  ) {}

  /** @throws Error naming a key file that cannot be used */
  static async open(dir: string, options: SigningKeysOptions): Promise<SigningKeys> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const files = readdirSync(dir).filter((name) => name.endsWith('.json'));
    const keys = await Promise.all(files.map((name) => readKey(join(dir, name))));
    const opened = new SigningKeys(
      dir,
      options,
      keys.sort((a, b) => b.createdAt - a.createdAt),
    );
    await opened.current();
    return opened;
  }

  /** The key to sign with; a new one is made when the current one is too old. */
  async current(): Promise<{ kid: string; privateKey: CryptoKey }> {
    const newest = this.keys[0];
    if (newest !== undefined && this.now() < newest.createdAt + this.options.rotationMs) return newest;
    const made = await makeKey(this.dir, this.now());
    this.keys = [made, ...this.keys];
    this.dropExpired();
    return made;
  }

  verifying(kid: string): CryptoKey | undefined {
    return this.keys.find((key) => key.kid === kid)?.publicKey;
  }

  /** A key stopped signing when the next one was made. */
  private dropExpired(): void {
    this.keys = this.keys.filter((key, index) => {
      const successor = this.keys[index - 1];
      const keep = successor === undefined || this.now() < successor.createdAt + this.options.tokenTtlMs;
      if (!keep) rmSync(join(this.dir, `${key.kid}.json`), { force: true });
      return keep;
    });
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

async function makeKey(dir: string, now: number): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  writeSecret(dir, `${kid}.json`, JSON.stringify({ kid, created_at: new Date(now).toISOString(), private_jwk: jwk }));
  return { kid, createdAt: now, privateKey, publicKey };
}

async function readKey(file: string): Promise<SigningKey> {
  try {
    const { kid, created_at, private_jwk } = keyFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const { d: _, ...public_jwk } = private_jwk;
    return {
      kid,
      createdAt: Date.parse(created_at),
      privateKey: (await importJWK(private_jwk as JWK, ALGORITHM)) as CryptoKey,
      publicKey: (await importJWK(public_jwk as JWK, ALGORITHM)) as CryptoKey,
    };
  } catch (error) {
    throw new Error(`${file} is not a signing key; delete it, and everybody signs in again`, { cause: error });
  }
}

/** Writes the whole file or nothing, also in a crash. */
function writeSecret(dir: string, name: string, text: string): void {
  const temporary = join(dir, `${name}.tmp`);
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(dir, name));
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
