import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Semaphore } from '../../../../http/semaphore.js';

const R = 8;
const P = 1;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** Each running hash takes 128 · N · r bytes, which is 128 MiB with N = 2^17; a waiting one takes none. */
const LIMITS = { concurrent: 2, waiting: 16 };
/** Shorter than the caller's time limit, so that the caller receives the 429 and its Retry-After. */
const WAIT_MS = 4000;
/** A password is hashed before its user is known. */
const ANYBODY = '';

/**
 * scrypt with r = 8, p = 1 and the configured N (RFC 7914; OWASP's Password Storage Cheat Sheet asks for N = 2^17),
 * stored as `scrypt$N$r$p$salt$key`. Memory and queue are bounded: only a few hashes run at a time.
 */
export class PasswordHasher {
  private readonly semaphore: Semaphore;

  constructor(
    private readonly n: number,
    limits = LIMITS,
  ) {
    this.semaphore = new Semaphore({ ...limits, perUser: limits.concurrent, waitMs: WAIT_MS }, 'sign-ins');
  }

  /** @throws Problem 429 `saturated` */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const key = await this.derive(password, salt, this.n, R, P);
    return ['scrypt', this.n, R, P, salt.toString('base64url'), key.toString('base64url')].join('$');
  }

  /** Without a hash to compare with, it does the same work and returns false. @throws Problem 429 `saturated` */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    if (hash === undefined) {
      await this.hash(password);
      return false;
    }
    const [, n, r, p, salt, key] = hash.split('$') as [string, string, string, string, string, string];
    const derived = await this.derive(password, Buffer.from(salt, 'base64url'), Number(n), Number(r), Number(p));
    return timingSafeEqual(derived, Buffer.from(key, 'base64url'));
  }

  /** Whether the hash was made with another cost than the configured one. */
  isOutdated(hash: string): boolean {
    return !hash.startsWith(`scrypt$${this.n}$${R}$${P}$`);
  }

  private derive(password: string, salt: Buffer, n: number, r: number, p: number): Promise<Buffer> {
    return this.semaphore.pass(
      ANYBODY,
      () =>
        new Promise((resolve, reject) =>
          scrypt(password.normalize('NFC'), salt, KEY_BYTES, { N: n, r, p, maxmem: 256 * n * r }, (error, key) =>
            error === null ? resolve(key) : reject(error),
          ),
        ),
    );
  }
}
