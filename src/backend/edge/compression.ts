import fastifyCompress from '@fastify/compress';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '../../http/problem.js';

/** In the order in which they are preferred for answers. */
const ENCODINGS = ['br', 'gzip', 'deflate', 'zstd'] as const;
const TAKEN = ENCODINGS.join(', ');
/**
 * Answers that hold a secret. Compressed beside a text that an attacker chose, their length tells about the secret
 * (CVE-2013-3587).
 */
const SECRET = /^\/v1\/api\/(?:auth|keys)(?:\/|$)/;
const MIN_BYTES = 1024;

/**
 * Decompresses the bodies of requests and compresses answers, but for event streams. A body is held to the route's limit after
 * it is decompressed: a bomb ends there.
 */
export async function useCompression(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    if (SECRET.test(route.url)) route.compress = false;
  });
  // Its parser reads the socket itself, past whatever would decompress it.
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const encoding = request.headers['content-encoding'];
    const isMultipart = /^\s*multipart\//i.test(request.headers['content-type'] ?? '');
    if (encoding === undefined || encoding === 'identity' || !isMultipart) return done(null, payload);
    const detail = `content-encoding: ${JSON.stringify(encoding)} is not taken for multipart/form-data; send it uncompressed, or one file as the body`;
    done(new Problem({ status: 415, code: 'unsupported_media_type', detail }));
  });
  await app.register(fastifyCompress, {
    threshold: MIN_BYTES,
    encodings: [...ENCODINGS, 'identity'],
    requestEncodings: [...ENCODINGS, 'identity'],
    onUnsupportedRequestEncoding: (encoding: string) => unsupportedEncoding(encoding),
    onInvalidRequestPayload: (encoding: string) => notCompressed(encoding),
  });
}

const unsupportedEncoding = (encoding: string) =>
  new Problem({
    status: 415,
    code: 'unsupported_media_type',
    detail: `content-encoding: ${JSON.stringify(encoding)} is not taken; send one of ${TAKEN}, or the body as it is`,
  });

/** The library copies the fields of this into the error of the decompressor. */
const notCompressed = (encoding: string) => ({
  name: 'InvalidContentEncoding',
  statusCode: 400,
  message: `body: these bytes are not ${encoding}, or are cut off`,
});
