import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';

const EXEMPT = /^\/(health|metrics|v1\/api\/status)(\/|\?|$)/;
const RESOLUTION_MS = 20;
const WINDOW_MS = 500;
const RETRY_AFTER_S = 1;

const LEAVE = Symbol('leave');
type Raw = FastifyReply['raw'] & { [LEAVE]?: () => void };

/** Rejects requests early that could not be answered in time, so that the running ones can be. */
export function shedLoad(
  fastify: FastifyInstance,
  { max_concurrency, max_event_loop_delay_ms }: Config['shedding'],
): void {
  let active = 0;
  let delayMs = 0;
  let lastWindowMs = 0;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // Without a sample the event loop has not turned since the last window.
    const windowMs = delay.count === 0 ? nowMs - lastMs : Math.max(0, delay.mean / 1e6 - RESOLUTION_MS);
    // A single pause (a garbage collection, a suspended machine) is over when it is measured. Two late windows are load.
    delayMs = Math.min(lastWindowMs, windowMs);
    lastWindowMs = windowMs;
    lastMs = nowMs;
    delay.reset();
  }, WINDOW_MS).unref();
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    delay.disable();
    done();
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (EXEMPT.test(request.url)) return done();
    if (active >= max_concurrency) return done(overloaded(`${active} requests are being worked on`));
    if (delayMs > max_event_loop_delay_ms) return done(overloaded(`the event loop is ${Math.round(delayMs)} ms late`));
    active += 1;
    let counted = true;
    const leave = () => {
      if (counted) active -= 1;
      counted = false;
    };
    (reply.raw as Raw)[LEAVE] = leave;
    reply.raw.once('close', leave);
    done();
  });
}

/** An open stream mostly waits: it does not count as load after its first byte. */
export function countsNoMore(reply: FastifyReply): void {
  (reply.raw as Raw)[LEAVE]?.();
}

function overloaded(why: string): Problem {
  return new Problem({
    status: 503,
    code: 'overloaded',
    detail: `The backend has more to do than it can: ${why}. Nothing was begun; come back.`,
    retryAfter: RETRY_AFTER_S,
  });
}
