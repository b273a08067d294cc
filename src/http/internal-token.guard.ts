import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { InjectConfig } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { HEADER } from '../downstream/endpoint.js';
import { Problem } from './problem.js';
import { isPublic } from './public.decorator.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Refuses whoever does not carry `X-INTERNAL-TOKEN`. Two tokens are good at a time, so that one can be rotated. */
@Injectable()
export class InternalTokenGuard implements CanActivate {
  private readonly accepted: readonly Buffer[];

  constructor(
    @InjectConfig() config: Config,
    private readonly reflector: Reflector,
  ) {
    const { internal_service_token, internal_service_token_previous } = config.secrets;
    this.accepted = [internal_service_token, internal_service_token_previous]
      .filter((token) => token !== undefined)
      .map(digest);
  }

  canActivate(context: ExecutionContext): boolean {
    if (isPublic(this.reflector, context)) return true;
    const given = context.switchToHttp().getRequest<FastifyRequest>().headers[HEADER.internalToken];
    // Digests have one length, and every one is compared: the time tells nothing about the token.
    const actual = digest(typeof given === 'string' ? given : '');
    const matches = this.accepted.map((expected) => timingSafeEqual(actual, expected));
    if (typeof given === 'string' && matches.includes(true)) return true;
    throw new Problem({
      status: 401,
      code: 'internal_token',
      detail: `${HEADER.internalToken}: ${given === undefined ? 'the header is missing' : 'this is not the internal token'}`,
    });
  }
}
