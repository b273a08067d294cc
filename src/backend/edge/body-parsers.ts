import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { badRequest, Problem } from '../../http/problem.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON for the API's calls; the bytes as they are for documents, whatever their media type. */
export function useBodyParsers(app: NestFastifyApplication, bodyLimit: number): void {
  const fastify = app.getHttpAdapter().getInstance();
  const takesBytes = ({ method, url }: FastifyRequest) =>
    (method === 'PUT' && url.includes('/documents/')) || (method === 'POST' && /\/documents\/?(\?|$)/.test(url));
  const parse = (request: FastifyRequest, body: Buffer): unknown => (takesBytes(request) ? body : parseJson(body));
  const options = { bodyLimit };
  app.useBodyParser('application/json', options, (request, body, done) =>
    settle(done, () => parse(request as FastifyRequest, body)),
  );
  app.useBodyParser('application/x-www-form-urlencoded', options, (request, body, done) =>
    settle(done, () => bytesOrRefusal(request as FastifyRequest, body)),
  );
  // Fastify's own would decode the bytes and so hide that they are no UTF-8.
  fastify.removeContentTypeParser('text/plain');
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    // Without a media type a body can only be meant as JSON.
    const json = request.headers['content-type'] === undefined && !takesBytes(request);
    settle(done, () => (json ? parseJson(body as Buffer) : bytesOrRefusal(request, body as Buffer)));
  });

  function bytesOrRefusal(request: FastifyRequest, body: Buffer): Buffer | undefined {
    if (takesBytes(request)) return body;
    if (body.length === 0) return undefined;
    const type = request.headers['content-type']?.split(';')[0]?.trim();
    const detail = `content-type: ${JSON.stringify(type)} is not taken here; send application/json`;
    throw new Problem({ status: 415, code: 'unsupported_media_type', detail });
  }
}

function settle(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  try {
    done(null, parse());
  } catch (error) {
    done(error as Error);
  }
}

/** Many a client names the type of a body that it does not send. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw badRequest('invalid_utf8', 'body: these bytes are not UTF-8; JSON is sent as UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest('invalid_json', `body: this is not JSON: ${(error as Error).message}`);
  }
}
