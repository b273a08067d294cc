import type { FastifyRequest } from 'fastify';
import { bufferedFiles } from '../edge/multipart.js';
import { badRequest, Problem } from '../../http/problem.js';
import { mediaTypeOf } from '../../text/media-type.js';

/** What was uploaded: a text as it is, or the bytes of a file that holds one. */
export type Upload =
  | { media_type: string; text: string; content_base64?: never }
  | { media_type: string; content_base64: string; text?: never };

const EXTRACTED: Record<string, string> = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  htm: 'text/html',
};
const TAKEN =
  'text/plain, text/markdown and other text/*, application/json, or one file as multipart/form-data (also PDF, DOCX, HTML)';

/** Reads the one document of a request. @throws Problem 400 for bytes that are no UTF-8, 415 for other media types */
export async function readUpload(request: FastifyRequest, path: string): Promise<Upload> {
  if (request.isMultipart()) return readMultipart(request, path);
  const body = request.body ?? Buffer.alloc(0);
  if (!Buffer.isBuffer(body)) throw new Error('the body of a document was parsed before it was read');
  return toUpload(mediaType(request.headers['content-type'], path), body);
}

async function readMultipart(request: FastifyRequest, path: string): Promise<Upload> {
  let found: Upload | undefined;
  for (const { filename, mimetype, bytes } of await bufferedFiles(request)) {
    if (found !== undefined) throw badRequest('one_file', 'body: one file at a time, please; this request has several');
    found = uploadOf(filename || path, mimetype, bytes);
  }
  if (found === undefined)
    throw badRequest('one_file', 'body: a multipart upload needs one file part; this request has none');
  return found;
}

/** A file by its name, where nobody says what it is. @throws Problem 400 for bytes that are no UTF-8, 415 */
export function uploadOf(name: string, contentType: string | undefined, bytes: Buffer): Upload {
  return toUpload(mediaType(contentType, name), bytes);
}

function mediaType(contentType: string | undefined, name: string): string {
  const given = contentType?.split(';')[0]?.trim().toLowerCase();
  if (given !== undefined && given !== '' && given !== 'application/octet-stream') return given;
  return EXTRACTED[/\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? mediaTypeOf(name);
}

function toUpload(media_type: string, bytes: Buffer): Upload {
  if (Object.values(EXTRACTED).includes(media_type)) return { media_type, content_base64: bytes.toString('base64') };
  if (
    !media_type.startsWith('text/') &&
    !/^application\/(.+\+)?(json|xml|yaml|toml|javascript|typescript|x-[a-z-]+)$/.test(media_type)
  ) {
    throw new Problem({
      status: 415,
      code: 'unsupported_media_type',
      detail: `content-type: ${JSON.stringify(media_type)} is not taken; send ${TAKEN}`,
    });
  }
  if (media_type === 'application/x-www-form-urlencoded') {
    throw new Problem({
      status: 415,
      code: 'unsupported_media_type',
      detail: `content-type: a form is not a document; send ${TAKEN} (curl: -H "Content-Type: text/markdown" --data-binary @FILE)`,
    });
  }
  try {
    return { media_type, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes) };
  } catch {
    throw badRequest(
      'invalid_utf8',
      'body: these bytes are not UTF-8 text; convert the file, or send it as multipart with its media type',
    );
  }
}
