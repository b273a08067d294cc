import fastifyCompress from '@fastify/compress';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Problem } from '../../http/problem.js';

/** The encodings for answers, in order of preference. */
const ENCODINGS = ['br', 'gzip', 'deflate', 'zstd'] as const;
const TAKEN = ENCODINGS.join(', ');
/**
 * Answers that contain a secret. If they were compressed together with a text that an attacker chose, their length
 * would reveal the secret (CVE-2013-3587).
 */
const SECRET = /^\/v1\/api\/(?:auth|keys)(?:\/|$)/;
const MIN_BYTES = 1024;

/**
 * Decompresses the bodies of requests and compresses answers, except event streams. The route's size limit applies to
 * the decompressed body, which stops decompression bombs.
 */
export async function useCompression(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', (route) => {
    if (SECRET.test(route.url)) route.compress = false;
  });
  // The multipart parser reads the socket itself, so that decompression would be bypassed.
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

/** The library copies these fields into the error of the decompressor. */
const notCompressed = (encoding: string) => ({
  name: 'InvalidContentEncoding',
  statusCode: 400,
  message: `body: these bytes are not ${encoding}, or are cut off`,
});
