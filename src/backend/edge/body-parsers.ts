import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { errorCodes as fastifyErrors, type FastifyRequest } from 'fastify';
import { badRequest, Problem } from '../../http/problem.js';

/**
 * The deepest nesting of JSON: no call of the API needs a tenth of it, and deeper JSON can exhaust the stack of
 * parsers.
 */
const MAX_DEPTH = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true });

interface BodyLimits {
  /** The limit for a document, and for an archive of documents. */
  bytes: number;
  /** The limit for any other call. */
  jsonBytes: number;
}

/** The limit for JSON of an unauthenticated client. */
const MAX_ANONYMOUS_BYTES = 16_384;
/** Calls that need no authentication. */
const ANONYMOUS = /^\/v1\/api\/auth\/(?:register|login)$/;

/** Parses JSON for the API's calls, and passes the bytes of documents on unchanged, whatever their media type. */
export function useBodyParsers(app: NestFastifyApplication, limits: BodyLimits): void {
  const bodyLimit = limits.bytes;
  const fastify = app.getHttpAdapter().getInstance();
  const takesBytes = ({ method, url }: FastifyRequest) =>
    (method === 'PUT' && url.includes('/documents/')) || (method === 'POST' && /\/documents\/?(\?|$)/.test(url));
  fastify.addHook('onRoute', (route) => {
    if (/\/documents(?:\/|$)/.test(route.url)) return;
    route.bodyLimit = ANONYMOUS.test(route.url) ? MAX_ANONYMOUS_BYTES : limits.jsonBytes;
  });
  const parse = (request: FastifyRequest, body: Buffer): unknown => (takesBytes(request) ? body : parseJson(body));
  const options = { bodyLimit };
  app.useBodyParser('application/json', options, (request, body, done) =>
    settle(done, () => parse(request as FastifyRequest, body)),
  );
  app.useBodyParser('application/x-www-form-urlencoded', options, (request, body, done) =>
    settle(done, () => bytesOrRefusal(request as FastifyRequest, body)),
  );
  fastify.addContentTypeParser(STREAMED_TYPES, (request, body, done) => {
    if (!takesStream(request)) {
      collected(body, request.routeOptions.bodyLimit ?? bodyLimit).then(
        (bytes) => settle(done, () => bytesOrRefusal(request, bytes)),
        (error: unknown) => done(error as Error),
      );
    } else done(null, body);
  });
  // Fastify's own parser would decode the bytes and so hide that they are not UTF-8.
  fastify.removeContentTypeParser('text/plain');
  fastify.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    // A body without a media type is treated as JSON.
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

const STREAMED_TYPES = ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'];
/** An exported account may be larger than memory: its reader counts the bytes. */
const takesStream = ({ method, url }: FastifyRequest) =>
  method === 'POST' && /^\/v1\/api\/account\/import\/?(?:\?|$)/.test(url);

async function collected(body: AsyncIterable<unknown>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > limit) throw new fastifyErrors.FST_ERR_CTP_BODY_TOO_LARGE();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function settle(done: (error: Error | null, body?: unknown) => void, parse: () => unknown): void {
  try {
    done(null, parse());
  } catch (error) {
    done(error as Error);
  }
}

/** Many clients send a Content-Type without a body. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw badRequest('invalid_utf8', 'body: these bytes are not UTF-8; JSON is sent as UTF-8');
  }
  if (isDeeperThan(MAX_DEPTH, body)) {
    throw badRequest('invalid_json', `body: this is nested deeper than ${MAX_DEPTH} levels`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest('invalid_json', `body: this is not JSON: ${(error as Error).message}`);
  }
}

/** Whether arrays and objects are nested deeper than `levels`: one pass over the bytes, JSON or not. */
export function isDeeperThan(levels: number, json: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length && depth <= levels; at++) {
    switch (json[at]) {
      case 0x22: // "
        quoted = !quoted;
        break;
      case 0x5c: // a backslash, and what it escapes
        if (quoted) at++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!quoted) depth++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (!quoted) depth--;
    }
  }
  return depth > levels;
}
