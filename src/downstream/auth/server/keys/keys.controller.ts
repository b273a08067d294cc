import { Controller } from '@nestjs/common';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import { Problem } from '../../../../http/problem.js';
import { authContract as contract } from '../../auth.contract.js';
import { KeyStore } from './key-store.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = Promise<EndpointOutput<(typeof contract)[K]>>;

const MAX_KEYS = 100;

@Controller()
export class KeysController {
  constructor(private readonly keys: KeyStore) {}

  @Implements(contract.createKey)
  async createKey(@CallerOf() { userId }: Caller, @Input() { body }: Request<'createKey'>): Answer<'createKey'> {
    const created = await this.keys.create(userId, body, MAX_KEYS);
    if (created === undefined) {
      const detail = `You have ${MAX_KEYS} keys, which are the most; delete one that is not used any more.`;
      throw new Problem({ status: 422, code: 'too_many_keys', detail });
    }
    return { ...created.stored, key: created.key };
  }

  @Implements(contract.listKeys)
  async listKeys(@CallerOf() { userId }: Caller): Answer<'listKeys'> {
    return { keys: await this.keys.list(userId) };
  }

  @Implements(contract.deleteKey)
  async deleteKey(@CallerOf() { userId }: Caller, @Input() { params }: Request<'deleteKey'>): Answer<'deleteKey'> {
    return { deleted: await this.keys.delete(userId, params.key_id) };
  }
}
