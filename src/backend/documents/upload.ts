import type { FastifyRequest } from 'fastify';
import { bufferedFiles } from '../edge/multipart.js';
import { documentFormatOf, extractedTypeOf, isTextType, READABLE_FORMATS } from '../../contract/document-format.js';
import { badRequest, Problem } from '../../http/problem.js';
import { mediaTypeOf } from '../../text/media-type.js';
import { isArchive } from './archive/read-archive.js';
import { adviceFor } from './convertible.js';
import { signatureType, textSignatureType } from './file-signature.js';

/** The uploaded content: a text, or the bytes of a file from which text is extracted. */
export type Upload =
  | { media_type: string; text: string; content_base64?: never }
  | { media_type: string; content_base64: string; text?: never };

const TAKEN = `one file, raw or as multipart/form-data: ${READABLE_FORMATS}`;

/** Reads the one document of a request. @throws Problem 415 for other media types */
export async function readUpload(request: FastifyRequest, path: string): Promise<Upload> {
  if (request.isMultipart()) return readMultipart(request, path);
  const body = request.body ?? Buffer.alloc(0);
  if (!Buffer.isBuffer(body)) throw new Error('the body of a document was parsed before it was read');
  refuseEncodedText(path, request.headers['content-type'], body);
  return uploadOf(path, request.headers['content-type'], body);
}

/**
 * Rejects a text that a client library has encoded as JSON, so that it is in quotes or inside an object.
 * @throws Problem 415 for JSON under a name that is not that of a JSON file
 */
function refuseEncodedText(path: string, contentType: string | undefined, body: Buffer): void {
  if (!/^\s*application\/json\s*(;|$)/i.test(contentType ?? '')) return;
  const type = mediaTypeOf(path);
  if (/json$/.test(type)) return;
  const json = parsedJson(body);
  // A name without a known extension may belong to a JSON file, which contains more than one string.
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

/**
 * The media type is the sender's, or that of the name. Where the content contradicts it, the content decides.
 * @throws Problem 415
 */
export function uploadOf(name: string, contentType: string | undefined, bytes: Buffer): Upload {
  const charset = /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(contentType ?? '')?.[1];
  const stated = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return toUpload(name, typeByContent(claimedType(stated, name, bytes), bytes), charset, bytes);
}

/** Many clients send a generic type, or one that their system registers for another format. */
function claimedType(stated: string, name: string, bytes: Buffer): string {
  const byName = extractedTypeOf(name) ?? mediaTypeOf(name);
  const saysNothing = stated === '' || stated === 'application/octet-stream';
  if (saysNothing) return SAYS_NOTHING.test(name) && byName === PLAIN ? (textSignatureType(bytes) ?? byName) : byName;
  const isReadable = isExtracted(stated) || isTextType(stated) || stated === FORM;
  if (!isReadable && byName !== PLAIN) return byName;
  // For instance, Excel registers itself for CSV.
  const isOther = isExtracted(stated) && !isExtracted(byName) && byName !== PLAIN && stated !== 'text/html';
  return isOther && utf8Of(bytes) !== undefined && signatureType(bytes) === undefined ? byName : stated;
}
const PLAIN = 'text/plain';
/** The type that curl sends by default. */
const FORM = 'application/x-www-form-urlencoded';
/** Names whose extension is not that of plain text. */
const SAYS_NOTHING = /^(?!.*\.(?:txt|text|log|asc)$)/is;

/** A file with the type of a supported format goes to the reader of that format, whose errors name the fault. */
function typeByContent(claimed: string, bytes: Buffer): string {
  const found = signatureType(bytes);
  if (found === undefined || (!isExtracted(found) && isExtracted(claimed) && claimed !== 'text/html')) return claimed;
  // The formats of a family have many types, and the content identifies the first one only.
  if (documentFormatOf(found) !== undefined && documentFormatOf(found) === documentFormatOf(claimed)) return claimed;
  // A text about PDF may begin like a PDF.
  return found === 'application/pdf' && isTextType(claimed) && !bytes.includes('endobj') ? claimed : found;
}

const isExtracted = (mediaType: string) => documentFormatOf(mediaType) !== undefined;
function toUpload(name: string, media_type: string, charset: string | undefined, bytes: Buffer): Upload {
  if (isExtracted(media_type)) return fileOf(media_type, charset, bytes);
  if (media_type === FORM)
    throw notTaken('a form is not a document', '(curl: -H "Content-Type: text/markdown" --data-binary @FILE)');
  const advice = adviceFor(name, media_type);
  if (advice !== undefined && !isTextType(media_type)) throw unreadable(name, media_type, advice);
  if (isArchive(media_type))
    throw notTaken('an archive is not a document', '(an archive of documents: POST …/documents)');
  if (!isTextType(media_type)) throw notTaken(`${JSON.stringify(media_type)} is not taken`, '');
  const text = charset === undefined || UTF8.test(charset) ? utf8Of(bytes) : undefined;
  // UTF-16 is often valid UTF-8 with zero bytes: the filesystem server detects the encoding.
  if (text !== undefined && !text.includes('\0')) return { media_type, text };
  if (advice !== undefined && bytes.includes(0)) throw unreadable(name, 'application/octet-stream', advice);
  return fileOf(media_type, charset, bytes);
}

function unreadable(name: string, mediaType: string, advice: string): Problem {
  const detail = `body: ${JSON.stringify(name)} is a file of type ${mediaType}, which is not read; ${advice}. What is read: ${READABLE_FORMATS}`;
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}

function notTaken(what: string, how: string): Problem {
  const detail = `content-type: ${what}; send ${TAKEN} ${how}`.trim();
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}

const UTF8 = /^(?:utf-?8|us-ascii)$/i;

/** Undefined where the bytes are not UTF-8; the filesystem server detects the encoding. */
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
