import { Controller } from '@nestjs/common';
import { Implements, Input } from '../../../http/implements.decorator.js';
import { type Caller, CallerOf } from '../../../http/caller.js';
import type { EndpointOutput, EndpointRequest } from '../../../contract/endpoint.js';
import { authContract as contract } from '../auth.contract.js';
import { AuthService } from './auth.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = Promise<EndpointOutput<(typeof contract)[K]>>;

@Controller()
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  @Implements(contract.register)
  async register(@Input() { body }: Request<'register'>): Answer<'register'> {
    return { user: await this.auth.register(body) };
  }

  @Implements(contract.login)
  login(@Input() { body }: Request<'login'>): Answer<'login'> {
    return this.auth.login(body);
  }

  @Implements(contract.verify)
  verify(@Input() { body }: Request<'verify'>): Answer<'verify'> {
    return this.auth.verify(body.token);
  }

  @Implements(contract.revoke)
  async revoke(@Input() { body }: Request<'revoke'>): Answer<'revoke'> {
    return { revoked: await this.auth.revoke(body.token) };
  }

  @Implements(contract.confirmOwner)
  async confirmOwner(@Input() { body }: Request<'confirmOwner'>): Answer<'confirmOwner'> {
    await this.auth.confirmOwner(body);
    return { confirmed: true };
  }

  @Implements(contract.closeAccount)
  async closeAccount(
    @CallerOf() { userId }: Caller,
    @Input() { query }: Request<'closeAccount'>,
  ): Answer<'closeAccount'> {
    await this.auth.closeAccount(userId, Date.parse(query.ended_at));
    return { closed: true };
  }

  @Implements(contract.findUsers)
  async findUsers(@Input() { query }: Request<'findUsers'>): Answer<'findUsers'> {
    return { users: await this.auth.usersByEmail(query.email) };
  }
}
