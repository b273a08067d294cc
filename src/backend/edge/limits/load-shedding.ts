import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';

const EXEMPT = /^\/(health|metrics|v1\/api\/status)(\/|\?|$)/;
const RESOLUTION_MS = 20;
const WINDOW_MS = 500;
const RETRY_AFTER_S = 1;

const LEAVE = Symbol('leave');
type Raw = FastifyReply['raw'] & { [LEAVE]?: () => void };

/**
 * The share of `max_concurrency` up to which requests of a kind are admitted, so that load is shed from below: requests of a
 * person first, then uploads, then calls of programs by OpenAI's API and MCP, then work in the background.
 */
const PRIORITIES: readonly { share: number; applies: (method: string, url: string) => boolean }[] = [
  {
    share: 0.4,
    applies: (_, url) => /^\/v1\/api\/(projects\/[^/]+\/(import|reindex|extract)|account\/(import|export))/.test(url),
  },
  { share: 0.6, applies: (_, url) => /^\/(mcp|v1\/(?!api\/))/.test(url) },
  { share: 0.75, applies: (method, url) => method !== 'GET' && /^\/v1\/api\/projects\/[^/]+\/documents/.test(url) },
];
/** A caller with this share of `max_concurrency` is a heavy one. */
const HEAVY_SHARE = 0.5;
/** Places beyond `max_concurrency`, as a share of it, for the others while there is a heavy caller. */
const SPARE_SHARE = 0.25;

const shareOf = (method: string, url: string) => PRIORITIES.find(({ applies }) => applies(method, url))?.share ?? 1;

/** Rejects requests early that could not be answered in time, so that the running ones can be. */
export function shedLoad(
  fastify: FastifyInstance,
  { max_concurrency, max_event_loop_delay_ms }: Config['shedding'],
): void {
  let active = 0;
  const activeOf = new Map<string, number>();
  const heavy = max_concurrency * HEAVY_SHARE;
  const hasHeavy = () => [...activeOf.values()].some((count) => count >= heavy);
  const loop = watchEventLoop(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    if (EXEMPT.test(request.url)) return done();
    const delayMs = loop.delayMs();
    if (delayMs > max_event_loop_delay_ms) return done(overloaded(`the event loop is ${Math.round(delayMs)} ms late`));
    const caller = callerOf(request);
    const own = activeOf.get(caller) ?? 0;
    const most = max_concurrency * shareOf(request.method, request.url);
    const isFull = active >= Math.ceil(most);
    if (isFull && !(own < heavy && active < Math.ceil(most * (1 + SPARE_SHARE)) && hasHeavy())) {
      return done(overloaded(`${active} requests are being worked on`));
    }
    active += 1;
    activeOf.set(caller, own + 1);
    let counted = true;
    const leave = () => {
      if (!counted) return;
      counted = false;
      active -= 1;
      const left = (activeOf.get(caller) ?? 1) - 1;
      if (left > 0) activeOf.set(caller, left);
      else activeOf.delete(caller);
    };
    (reply.raw as Raw)[LEAVE] = leave;
    reply.raw.once('close', leave);
    done();
  });
}

/** The lateness of the event loop; it is measured in windows. */
function watchEventLoop(fastify: FastifyInstance): { delayMs: () => number } {
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
  return { delayMs: () => delayMs };
}

/** The caller by the token of the request, which is not verified yet, or by address. */
function callerOf({ headers, ip }: FastifyRequest): string {
  return headers.authorization ?? headers.cookie ?? ip;
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
