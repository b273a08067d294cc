import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { BillingClient } from '../../downstream/billing/billing.client.js';
import { Problem } from '../../http/problem.js';
import { Outbox } from '../../outbox/outbox.service.js';
import type { NewOutboxEntry } from '../../outbox/outbox.store.js';
import { withoutRetries } from '../call/waiting.js';
import type { UserCall } from '../call/public-call.js';

const chargePayload = z.object({ message_id: z.string(), credits: z.int() });
const RETRY_AFTER_S = 30;
const TOKENS_PER_CREDIT = 1000;

/**
 * Reserves credits before a chat and charges them after it, once for each message. A chat does not depend on billing
 * being available.
 */
@Injectable()
export class Credits implements OnModuleInit {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly billing: BillingClient,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.outbox.register({
      topic: 'charge',
      service: 'billing',
      deliver: async (entry, call) => {
        await this.billing.capture({ body: chargePayload.parse(entry.payload) }, call);
      },
    });
  }

  /** @throws DownstreamError `rejected` with status 402, or the reason why billing could not be called */
  async reserve(messageId: string, call: UserCall): Promise<void> {
    const body = { message_id: messageId, credits: this.config.chat.reserve_credits };
    await withoutRetries('billing', call, (impatient) => this.billing.reserve({ body }, impatient));
  }

  /**
   * While billing is unavailable, a user's chats go on up to a limit, so that the uncharged amount stays bounded.
   * @throws Problem 503 `billing_unavailable`
   */
  async requireUnmeteredRoom(userId: string): Promise<void> {
    const owed = (await this.outbox.store.pending('charge', userId)).length;
    const { max_unmetered } = this.config.chat;
    if (owed < max_unmetered) return;
    throw new Problem({
      status: 503,
      code: 'billing_unavailable',
      detail: `${owed} of your answers wait to be charged, since billing is away, and no more than ${max_unmetered} may; come back later.`,
      retryAfter: RETRY_AFTER_S,
    });
  }

  /** One credit for each started thousand tokens. */
  price(tokens: number): number {
    return Math.max(1, Math.ceil(tokens / TOKENS_PER_CREDIT));
  }

  /** The charge as an outbox entry, which is written together with the answer that it charges. */
  charge(userId: string, messageId: string, credits: number): NewOutboxEntry {
    return { topic: 'charge', key: messageId, userId, projectId: null, payload: { message_id: messageId, credits } };
  }
}
