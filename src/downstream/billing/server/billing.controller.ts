import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../http/caller.js';
import { Implements, Input } from '../../../http/implements.decorator.js';
import type { EndpointOutput, EndpointRequest } from '../../../contract/endpoint.js';
import { billingContract as contract } from '../billing.contract.js';
import { BillingService } from './billing.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = Promise<EndpointOutput<(typeof contract)[K]>>;

@Controller()
export class BillingController {
  constructor(private readonly billing: BillingService) {}

  @Implements(contract.reserve)
  reserve(@CallerOf() { userId }: Caller, @Input() { body }: Request<'reserve'>): Answer<'reserve'> {
    return this.billing.reserve(userId, body.message_id, body.credits);
  }

  @Implements(contract.capture)
  capture(@CallerOf() { userId }: Caller, @Input() { body }: Request<'capture'>): Answer<'capture'> {
    return this.billing.capture(userId, body.message_id, body.credits);
  }

  @Implements(contract.release)
  release(@CallerOf() { userId }: Caller, @Input() { body }: Request<'release'>): Answer<'release'> {
    return this.billing.release(userId, body.message_id);
  }

  @Implements(contract.grant)
  grant(@CallerOf() { userId }: Caller, @Input() { body }: Request<'grant'>): Answer<'grant'> {
    const { grant_id: id, credits, note } = body;
    return this.billing.grant(userId, { id, credits, note });
  }

  @Implements(contract.closeAccount)
  async closeAccount(
    @CallerOf() { userId }: Caller,
    @Input() { query }: Request<'closeAccount'>,
  ): Answer<'closeAccount'> {
    await this.billing.close(userId, query.closed_at);
    return { closed: true };
  }

  @Implements(contract.balance)
  balance(@CallerOf() { userId }: Caller): Answer<'balance'> {
    return this.billing.balance(userId);
  }

  @Implements(contract.usage)
  usage(@CallerOf() { userId }: Caller, @Input() { query }: Request<'usage'>): Answer<'usage'> {
    return this.billing.usage(userId, query.limit, query.offset);
  }
}
