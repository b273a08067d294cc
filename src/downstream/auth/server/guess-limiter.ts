import { createHash } from 'node:crypto';
import { Problem } from '../../../http/problem.js';
import type { GuessStore } from './guess-store.js';

interface Rule {
  /** The number of failures without a wait. */
  free: number;
  /** The longest wait. An account's is short, because a stranger's guesses also delay the owner. */
  maxWaitMs: number;
  /** All failures are deleted after this time without a further one. */
  memoryMs: number;
}

const RULES: Record<'account' | 'address', Rule> = {
  account: { free: 5, maxWaitMs: 30_000, memoryMs: 900_000 },
  address: { free: 20, maxWaitMs: 900_000, memoryMs: 3_600_000 },
};
const FIRST_WAIT_MS = 1000;
/** How long an address that has signed in to an account counts as the owner's. */
const OWN_ADDRESS_MS = 30 * 86_400_000;

/**
 * Slows the guessing of passwords. After a few failures each further one doubles the wait before the next attempt, for
 * the account and for the client address. No account is locked for good. An address from which the owner has signed in
 * is counted separately, so that a stranger's guesses do not delay the owner there. Counts are stored under hashed names,
 * so that a restart does not reset them.
 */
export class GuessLimiter {
  constructor(
    private readonly store: GuessStore,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Runs one attempt, which returns undefined if it failed. It counts as a failure from its start, so that parallel
   * attempts are counted too.
   * @throws Problem 429 `too_many_attempts`
   */
  async attempt<T>(
    account: string,
    address: string | undefined,
    work: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const own = address === undefined ? undefined : hashed('own', `${account}\0${address}`);
    const isOwn = own !== undefined && (await this.store.has(own));
    const ofAccount = source('account', isOwn ? `${account}\0${address}` : account);
    const ofAddress = address === undefined ? [] : [source('address', address)];
    const result = await this.counted([ofAccount, ...ofAddress], work);
    if (result !== undefined) {
      await this.store.forget(ofAccount.key);
      if (own !== undefined) await this.store.add(own, this.now() + OWN_ADDRESS_MS);
      // Only this attempt is subtracted: otherwise a guesser could reset the address by signing in to an account of
      // their own.
      await this.giveBack(ofAddress);
    }
    return result;
  }

  /**
   * Like {@link attempt}, for a look-up that reveals whether an account exists: it counts for the client address only.
   * @throws Problem 429 `too_many_attempts`
   */
  async lookUp<T>(address: string | undefined, work: () => Promise<T | undefined>): Promise<T | undefined> {
    const ofAddress = address === undefined ? [] : [source('address', address)];
    const result = await this.counted(ofAddress, work);
    if (result !== undefined) await this.giveBack(ofAddress);
    return result;
  }

  private async counted<T>(sources: readonly Source[], work: () => Promise<T>): Promise<T> {
    await this.begin(sources);
    try {
      return await work();
    } catch (error) {
      await this.giveBack(sources);
      throw error;
    }
  }

  private async begin(sources: readonly Source[]): Promise<void> {
    const now = this.now();
    const counted = sources.map(({ key, rule }) => ({
      key,
      after: (failures: number) => {
        const waitMs = failures <= rule.free ? 0 : wait(failures - rule.free, rule);
        return { failures, blockedUntil: now + waitMs, forgetAt: now + rule.memoryMs };
      },
    }));
    const blockedUntil = await this.store.count(counted, now);
    if (blockedUntil > now) throw tooMany(blockedUntil - now);
  }

  private async giveBack(sources: readonly Source[]): Promise<void> {
    for (const { key, rule } of sources) await this.store.giveBack(key, rule.free);
  }
}

interface Source {
  key: string;
  rule: Rule;
}

function source(kind: keyof typeof RULES, name: string): Source {
  return { key: hashed(kind, name), rule: RULES[kind] };
}

const hashed = (kind: string, name: string) => `${kind}:${createHash('sha256').update(name).digest('base64url')}`;

const wait = (surplus: number, { maxWaitMs }: Rule) => Math.min(maxWaitMs, FIRST_WAIT_MS * 2 ** (surplus - 1));

const tooMany = (waitMs: number) =>
  new Problem({
    status: 429,
    code: 'too_many_attempts',
    detail: `Too many attempts failed; the next one is taken in ${Math.ceil(waitMs / 1000)} s.`,
    retryAfter: Math.ceil(waitMs / 1000),
  });
