import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Semaphore } from '../../../../http/semaphore.js';

const R = 8;
const P = 1;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** Each hash at work takes 128 · N · r bytes, 128 MiB with N = 2^17; one that waits takes nothing. */
const LIMITS = { concurrent: 2, waiting: 16 };
/** Shorter than the caller's own limit, so that it is told to come back. */
const WAIT_MS = 4000;
/** Passwords have no user yet. */
const ANYBODY = '';

/**
 * scrypt with r = 8, p = 1 and the configured N (RFC 7914; OWASP's Password Storage Cheat Sheet asks for N = 2^17),
 * stored as `scrypt$N$r$p$salt$key`. Never more than a few at a time: the memory is bounded, and so is the queue.
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

  /** Without a hash to compare with it does the same work and is false. @throws Problem 429 `saturated` */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    if (hash === undefined) {
      await this.hash(password);
      return false;
    }
    const [, n, r, p, salt, key] = hash.split('$') as [string, string, string, string, string, string];
    const derived = await this.derive(password, Buffer.from(salt, 'base64url'), Number(n), Number(r), Number(p));
    return timingSafeEqual(derived, Buffer.from(key, 'base64url'));
  }

  /** Whether the hash was made with another cost than is asked for now. */
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
