import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AuthClient } from '../../downstream/auth/auth.client.js';
import type { User } from '../../downstream/auth/auth.contract.js';
import { BillingClient } from '../../downstream/billing/billing.client.js';
import { Problem } from '../../http/problem.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { type Claim, claimedId } from '../call/claim.js';

export interface GrantRequest {
  email: string;
  credits: number;
  note?: string | undefined;
}

/** Credits that an operator grants. The log holds the operator, the account, the amount and the reason. */
@Injectable()
export class Grants {
  constructor(
    private readonly auth: AuthClient,
    private readonly billing: BillingClient,
    private readonly log: PinoLogger,
  ) {}

  /**
   * @param by the operator's name for the log
   * @throws Problem 404 for an address without an account, 409 for one with several
   */
  async grant({ email, credits, note }: GrantRequest, by: string, call: CallContext & { claim?: Claim }) {
    const { claim, ...own } = call;
    const user = await this.userOf(email, own);
    const grant_id = claim === undefined ? randomUUID() : claimedId(claim, 'grant');
    const body = { grant_id, credits, ...(note === undefined ? {} : { note }) };
    const { credits: balance, granted } = await this.billing.grant({ body }, { ...own, userId: user.user_id });
    this.log.warn(
      { grant: grant_id, by, user_id: user.user_id, credits: granted, note, request_id: call.requestId },
      `Billing: ${by} granted ${granted} credits to ${user.email}`,
    );
    return { grant_id, user_id: user.user_id, email: user.email, granted, balance };
  }

  private async userOf(email: string, call: CallContext): Promise<User> {
    const { users } = await this.auth.findUsers({ query: { email } }, call);
    const [user, ...others] = users;
    if (user !== undefined && others.length === 0) return user;
    const detail =
      user === undefined
        ? `email: ${JSON.stringify(email)} has no account here, or was never signed in`
        : `email: ${JSON.stringify(email)} is the address of ${users.length} accounts`;
    const [status, code] = user === undefined ? [404, 'not_found'] : [409, 'ambiguous_email'];
    throw new Problem({ status, code, detail });
  }
}
