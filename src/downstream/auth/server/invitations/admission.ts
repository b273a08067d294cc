import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { Problem } from '../../../../http/problem.js';
import { digestOf } from '../keys/key-store.js';
import { InvitationStore } from './invitation-store.js';

/** Decides who may make an account here. A provider of its own decides that by itself. */
@Injectable()
export class Admission {
  constructor(
    private readonly invitations: InvitationStore,
    @InjectConfig() private readonly config: Config,
  ) {}

  /**
   * Looks up nothing about the address, so that the answer to a stranger is the same, and takes as long, whether it has an
   * account or not.
   * @returns the digest of the invitation that the account uses up; undefined where none is needed
   * @throws Problem 403 `registration_closed`, `invitation_required`, `invitation_invalid`
   */
  async admit(address: string, invitation: string | undefined): Promise<string | undefined> {
    const { provider, registration } = this.config.auth;
    if (provider !== 'local' || registration === 'open') return undefined;
    if (registration === 'closed') throw closed();
    if (invitation === undefined) {
      throw forbidden('invitation_required', 'invitation: it is missing; accounts are made by invitation here.');
    }
    const found = await this.invitations.valid(invitation);
    if (found === undefined || (found.email !== null && found.email !== address)) throw invitationInvalid();
    return digestOf(invitation);
  }
}

const forbidden = (code: string, detail: string) => new Problem({ status: 403, code, detail });

export const closed = () => forbidden('registration_closed', 'No accounts can be made here; ask the operator for one.');

/** One answer for all reasons, because a difference would reveal the address that an invitation is for. */
export const invitationInvalid = () =>
  forbidden(
    'invitation_invalid',
    'invitation: it is unknown, used, expired, or for another address; ask the operator for a new one.',
  );
