import { finished } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** A body of up to this many times the limit is read to its end: a client that is still sending gets the refusal only then. */
const READ_TIMES = 4;
const READ_MS = 10_000;

/** Refuses a body by its announced length; reads and discards it first unless it is far too large. */
export function refuseOversize(fastify: FastifyInstance, limitBytes: number): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length <= limitBytes) return done();
    void reply.header('connection', 'close');
    const refusal = new Problem({
      status: 413,
      code: 'too_large',
      detail: `body: ${length} bytes are too many; ${limitBytes} at most`,
    });
    if (length > limitBytes * READ_TIMES) return done(refusal);
    request.raw.resume();
    void finished(request.raw, { writable: false, signal: AbortSignal.timeout(READ_MS) }).then(
      () => done(refusal),
      () => done(refusal),
    );
  });
}
