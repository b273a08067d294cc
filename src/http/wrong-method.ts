import type { FastifyInstance } from 'fastify';
import findMyWay from 'find-my-way';
import { writeProblem } from './problem.filter.js';

type Method = findMyWay.HTTPMethod;

/**
 * Answers 405 with `Allow` where a path exists for other methods only, and answers OPTIONS. Call it before any route
 * is added. It costs nothing for requests that match a route.
 */
export function refuseWrongMethods(
  fastify: FastifyInstance,
  options: findMyWay.Config<findMyWay.HTTPVersion.V1>,
): void {
  const routes = findMyWay(options);
  const methods = new Set<Method>();
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat() as Method[]) {
      methods.add(each);
      routes.on(each, url, () => undefined);
    }
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const found = [...methods].filter((method) => routes.find(method, request.url) !== null);
    if (found.length === 0) return done();
    const allow = [...found, 'OPTIONS'].sort().join(', ');
    void reply.header('allow', allow);
    if (request.method === 'OPTIONS') return void reply.status(204).send();
    writeProblem(reply, {
      status: 405,
      code: 'method_not_allowed',
      detail: `${request.method}: this address takes ${allow}`,
    });
  });
}
