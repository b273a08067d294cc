import { Injectable } from '@nestjs/common';
import { Problem } from '../../../http/problem.js';
import { type Balance, type Grant, Ledger } from './ledger.js';

@Injectable()
export class BillingService {
  constructor(private readonly ledger: Ledger) {}

  /** @throws Problem 402 `insufficient_credits` */
  async reserve(userId: string, messageId: string, credits: number): Promise<Balance> {
    const { held, ...balance } = await this.ledger.reserve(userId, messageId, credits);
    if (held) return balance;
    const free = Math.max(0, balance.credits - balance.reserved);
    throw new Problem({
      status: 402,
      code: 'insufficient_credits',
      detail: `${credits} credits are needed and ${free} are free (${balance.credits} in the account, ${balance.reserved} of them reserved).`,
    });
  }

  capture(userId: string, messageId: string, credits: number) {
    return this.ledger.capture(userId, messageId, credits);
  }

  release(userId: string, messageId: string) {
    return this.ledger.release(userId, messageId);
  }

  grant(userId: string, grant: Grant) {
    return this.ledger.grant(userId, grant);
  }

  close(userId: string, closedAt: string) {
    return this.ledger.closeAccount(userId, closedAt);
  }

  balance(userId: string) {
    return this.ledger.balance(userId);
  }

  usage(userId: string, limit: number, offset: number) {
    return this.ledger.rows(userId, limit, offset);
  }
}
