import { Controller } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import { Problem } from '../../../../http/problem.js';
import { authContract as contract } from '../../auth.contract.js';
import { addressOf } from '../address.js';
import { InvitationStore } from './invitation-store.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = Promise<EndpointOutput<(typeof contract)[K]>>;

const MAX_UNUSED = 1000;
const MAX_LISTED = 2000;

@Controller()
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationStore,
    @InjectConfig() private readonly config: Config,
  ) {}

  @Implements(contract.createInvitation)
  async create(@Input() { body }: Request<'createInvitation'>): Answer<'createInvitation'> {
    this.requireUse();
    const email = body.email === null ? null : addressOf(body.email);
    const created = await this.invitations.create({ ...body, email }, MAX_UNUSED);
    if (created !== undefined) return { ...created.stored, token: created.token };
    throw new Problem({
      status: 422,
      code: 'too_many_invitations',
      detail: `There are ${MAX_UNUSED} unused invitations, which are the most; revoke some.`,
    });
  }

  @Implements(contract.listInvitations)
  async list(): Answer<'listInvitations'> {
    return { invitations: await this.invitations.list(MAX_LISTED) };
  }

  @Implements(contract.deleteInvitation)
  async delete(@Input() { params }: Request<'deleteInvitation'>): Answer<'deleteInvitation'> {
    return { deleted: await this.invitations.delete(params.invitation_id) };
  }

  /** @throws Problem 409 `invitations_off` where no registration accepts an invitation */
  private requireUse(): void {
    const { provider, registration } = this.config.auth;
    if (provider === 'local' && registration !== 'closed') return;
    const detail =
      provider === 'local'
        ? 'auth.registration is closed, so an invitation would be refused; with "invited" it is accepted.'
        : `auth.provider is ${provider}, where people get their accounts without an invitation from here.`;
    throw new Problem({ status: 409, code: 'invitations_off', detail });
  }
}
