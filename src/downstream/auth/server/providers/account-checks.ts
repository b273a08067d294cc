import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

/** The most tokens whose last check is remembered; the check of a forgotten one is repeated. */
const MAX_TOKENS = 50_000;

/**
 * Repeated checks of whether the account behind a token may still sign in. A check is repeated after `everyMs`. While
 * the provider does not answer, tokens stay valid.
 */
export class AccountChecks {
  private readonly logger = new Logger(AccountChecks.name);
  private readonly checked: LRUCache<string, true>;

  constructor(everyMs: number) {
    this.checked = new LRUCache({ max: MAX_TOKENS, ttl: everyMs });
  }

  /** A token that was issued a moment ago needs no check yet. */
  passed(tokenId: string): void {
    this.checked.set(tokenId, true);
  }

  /** @param ask whether the account may no longer sign in */
  async hasEnded(tokenId: string, ask: () => Promise<boolean>): Promise<boolean> {
    if (this.checked.has(tokenId)) return false;
    // Set before the call, so that concurrent requests with this token do not repeat it.
    this.checked.set(tokenId, true);
    try {
      return await ask();
    } catch (error) {
      this.logger.warn(`An account could not be checked, its tokens stay valid meanwhile: ${String(error)}`);
      return false;
    }
  }
}
