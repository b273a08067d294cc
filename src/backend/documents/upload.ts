import type { FastifyRequest } from 'fastify';
import { bufferedFiles } from '../edge/multipart.js';
import { badRequest, Problem } from '../../http/problem.js';
import { mediaTypeOf } from '../../text/media-type.js';
import { signatureType } from './file-signature.js';

/** What was uploaded: a text as it is, or the bytes of a file that holds one. */
export type Upload =
  | { media_type: string; text: string; content_base64?: never }
  | { media_type: string; content_base64: string; text?: never };

const EXTRACTED: Record<string, string> = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  htm: 'text/html',
  xhtml: 'application/xhtml+xml',
  eml: 'message/rfc822',
  ipynb: 'application/x-ipynb+json',
};
const TAKEN =
  'text/plain, text/markdown and other text/*, application/json, or one file as multipart/form-data (also PDF, DOCX, HTML, EML, IPYNB)';

/** Reads the one document of a request. @throws Problem 415 for other media types */
export async function readUpload(request: FastifyRequest, path: string): Promise<Upload> {
  if (request.isMultipart()) return readMultipart(request, path);
  const body = request.body ?? Buffer.alloc(0);
  if (!Buffer.isBuffer(body)) throw new Error('the body of a document was parsed before it was read');
  refuseEncodedText(path, request.headers['content-type'], body);
  return uploadOf(path, request.headers['content-type'], body);
}

/**
 * Many a client library encodes what it is given as JSON, so that a text arrives in quotes or inside an object.
 * @throws Problem 415 for JSON under a name that is not that of a JSON file
 */
function refuseEncodedText(path: string, contentType: string | undefined, body: Buffer): void {
  if (!/^\s*application\/json\s*(;|$)/i.test(contentType ?? '')) return;
  const type = typeOfName(path);
  if (/json$/.test(type)) return;
  const json = parsedJson(body);
  // A name without a known ending may well be one of a JSON file, which holds more than one string.
  if (json === undefined || (typeof json !== 'string' && type === 'text/plain' && !PLAIN_TEXT.test(path))) return;
  throw new Problem({
    status: 415,
    code: 'unsupported_media_type',
    detail: `content-type: application/json for ${JSON.stringify(path)}: the document would be stored with its quotes and braces; send the text itself as text/markdown or text/plain, or name the document *.json`,
  });
}

const PLAIN_TEXT = /\.(?:txt|text|rst|org|adoc|tex|log)$/i;

function parsedJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
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

/** The media type comes from the sender, else from the name; where the content contradicts it, from the content. @throws Problem 415 */
export function uploadOf(name: string, contentType: string | undefined, bytes: Buffer): Upload {
  const given = contentType?.split(';')[0]?.trim().toLowerCase();
  const isStated = given !== undefined && given !== '' && given !== 'application/octet-stream';
  const charset = /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(contentType ?? '')?.[1];
  return toUpload(typeByContent(isStated ? given : typeOfName(name), bytes), charset, bytes);
}

/** A file that claims to be of a format with a reader is left to that reader, which says what is wrong with it. */
function typeByContent(claimed: string, bytes: Buffer): string {
  const found = signatureType(bytes);
  if (found === undefined || (!isExtracted(found) && isExtracted(claimed) && claimed !== 'text/html')) return claimed;
  // A text about PDF may begin as a PDF does.
  return found === 'application/pdf' && isText(claimed) && !bytes.includes('endobj') ? claimed : found;
}

const isExtracted = (mediaType: string) => Object.values(EXTRACTED).includes(mediaType);
const isText = (mediaType: string) =>
  mediaType.startsWith('text/') ||
  /^application\/(.+\+)?(json|xml|yaml|toml|javascript|typescript|x-[a-z-]+)$/.test(mediaType);

function typeOfName(name: string): string {
  return EXTRACTED[/\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''] ?? mediaTypeOf(name);
}

function toUpload(media_type: string, charset: string | undefined, bytes: Buffer): Upload {
  if (isExtracted(media_type)) return fileOf(media_type, charset, bytes);
  if (!isText(media_type)) {
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
  const text = charset === undefined || UTF8.test(charset) ? utf8Of(bytes) : undefined;
  if (text !== undefined) return { media_type, text };
  return fileOf(media_type, charset, bytes);
}

const UTF8 = /^(?:utf-?8|us-ascii)$/i;

/** Undefined where the bytes are not UTF-8; the filesystem server finds out what they are. */
function utf8Of(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

function fileOf(media_type: string, charset: string | undefined, bytes: Buffer): Upload {
  const type = charset === undefined ? media_type : `${media_type}; charset=${charset}`;
  return { media_type: type, content_base64: bytes.toString('base64') };
}
