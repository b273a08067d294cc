import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.schema.js';
import { HEADER } from '../contract/endpoint.js';
import { writeProblem } from './problem.filter.js';

const PROBES = /^\/health(\/|\?|$)/;

const digest = (text: string) => createHash('sha256').update(text).digest();

/**
 * Refuses requests without a valid `X-INTERNAL-TOKEN` before their body is read; only probes need none. Two tokens
 * are valid at a time, so that one can be rotated.
 */
export function requireInternalToken(fastify: FastifyInstance, secrets: Config['secrets']): void {
  const accepted = [secrets.internal_service_token, secrets.internal_service_token_previous]
    .filter((token): token is string => token !== undefined && token !== '')
    .map(digest);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (PROBES.test(request.url)) return done();
    const given = request.headers[HEADER.internalToken];
    // Digests have equal lengths and all are compared, so the time taken reveals nothing about the token.
    const actual = digest(typeof given === 'string' ? given : '');
    const matches = accepted.map((expected) => timingSafeEqual(actual, expected));
    if (typeof given === 'string' && given !== '' && matches.includes(true)) return done();
    const fault = given === undefined ? 'the header is missing' : 'this is not the internal token';
    writeProblem(reply, { status: 401, code: 'internal_token', detail: `${HEADER.internalToken}: ${fault}` });
  });
}
