import type { FastifyInstance } from 'fastify';
import type { Lifecycle } from './lifecycle.js';
import { Problem } from './problem.js';

/** Routes that are answered until the process ends, and do not delay its end. */
const PROBES = /^\/(health|metrics)(\/|\?|$)/;
const RETRY_AFTER_S = 1;

/** Counts the requests being answered; at the end of the process, new ones are refused. */
export class RequestsInFlight {
  private count = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly leave = () => {
    this.count--;
    if (this.count === 0) for (const resolve of this.waiting.splice(0)) resolve();
  };

  constructor(fastify: FastifyInstance, lifecycle: Lifecycle) {
    fastify.addHook('onRequest', (request, reply, done) => {
      if (lifecycle.state === 'draining') void reply.header('connection', 'close');
      if (PROBES.test(request.url)) return done();
      if (lifecycle.refuses) return done(refusal());
      this.count++;
      // `close` also comes at the end of a stream, and when the client disconnects.
      reply.raw.on('close', this.leave);
      done();
    });
  }

  /** Resolves when no request is being answered. */
  async finished(): Promise<void> {
    if (this.count > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

function refusal(): Problem {
  return new Problem({
    status: 503,
    code: 'draining',
    detail: 'This process is about to end and takes no new requests. Nothing was begun; come back.',
    retryAfter: RETRY_AFTER_S,
  });
}
