import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { type DocumentFormat, READABLE_FORMATS } from '../../../../contract/document-format.js';
import type { Warning } from '../../../../contract/warning.contract.js';
import { badRequest, Problem } from '../../../../http/problem.js';
import { hashOf } from '../files/document-files.js';
import { decodeText } from '../extraction/charset.js';
import type { ExtractedText } from '../extraction/extraction.child.js';
import { charsetOf, essenceOf, formatOf } from '../extraction/media-type.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import { PICTURE_KINDS, pictureKindOf } from '../extraction/recognition/picture-kind.js';
import { TextExtractor, UnreadableDocument } from '../extraction/text-extractor.js';
import { pendingWarning, withPending } from '../extraction/recognition/recognised-text.js';

/** An uploaded document: exactly one of text and content. */
export interface Upload {
  media_type: string;
  text?: string | undefined;
  content_base64?: string | undefined;
}

/** An uploaded document that is ready to be stored. */
export interface ReadUpload {
  media_type: string;
  text: string;
  /** The text in UTF-8. */
  content: Buffer;
  /** The digest of `content`. */
  sha256: string;
  /** The file from which the text was extracted; undefined where the upload is the text. */
  original: Buffer | undefined;
  /** The media type of the original as uploaded, with its charset. */
  original_type: string;
  /** The start of each page of the original in the text; empty for a format without pages. */
  pages: PageStart[];
  /** Content of the original that the text lacks. */
  warnings: Warning[];
}

@Injectable()
export class UploadReader {
  constructor(
    private readonly extractor: TextExtractor,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** @throws UnreadableDocument; Problem 400 `invalid_request`, `invalid_text`; 413; 415; 429 `saturated` */
  async read(upload: Upload, userId: string): Promise<ReadUpload> {
    const { text: given, content_base64 } = upload;
    if ((given === undefined) === (content_base64 === undefined)) {
      throw badRequest('invalid_request', 'body: exactly one of text and content_base64 is needed');
    }
    const media_type = essenceOf(upload.media_type);
    const format = formatOf(media_type);
    if (format === 'picture' && !this.recognises) throw notRecognised(media_type);
    if (format === undefined || (given !== undefined && format !== 'text' && format !== 'html')) {
      throw unsupported(media_type, format);
    }
    const file = content_base64 === undefined ? undefined : Buffer.from(content_base64, 'base64');
    const {
      text,
      pages = [],
      warnings,
    }: ExtractedText = file === undefined
      ? { text: given as string, warnings: [] }
      : await this.textOf(file, format, charsetOf(upload.media_type), userId);
    this.checkText(text);
    const content = Buffer.from(text);
    const original = file === undefined || file.equals(content) ? undefined : file;
    return {
      media_type,
      text,
      content,
      sha256: hashOf(content),
      original,
      original_type: upload.media_type,
      pages,
      warnings,
    };
  }

  private async textOf(
    file: Buffer,
    format: DocumentFormat | 'text',
    charset: string | undefined,
    userId: string,
  ): Promise<ExtractedText> {
    if (format === 'picture') return this.picture(file);
    if (format !== 'text') return this.extracted(await this.extractor.extract(file, format, userId, charset));
    const decoded = decodeText(file, [charset]);
    if (decoded === undefined) throw notText(file.includes(0) || isBinary(file.toString('latin1')));
    if (isBinary(decoded.text)) throw notText(true);
    return decoded;
  }

  private extracted(extracted: ExtractedText): ExtractedText {
    return this.recognises ? { ...extracted, warnings: withPending(extracted.warnings) } : extracted;
  }

  private get recognises(): boolean {
    return this.config.filesystem.ocr.enabled;
  }

  /** Its text is recognised later. @throws UnreadableDocument */
  private picture(file: Buffer): ExtractedText {
    if (pictureKindOf(file) === undefined) {
      throw new UnreadableDocument(`it is not a picture in one of the formats ${PICTURE_KINDS}`);
    }
    return { text: '', warnings: pendingWarning(undefined) };
  }

  private checkText(text: string): void {
    if (!text.isWellFormed()) {
      throw badRequest('invalid_text', 'text: it is not valid Unicode: half of a surrogate pair stands alone');
    }
    const bytes = Buffer.byteLength(text);
    const { max_body_bytes: max } = this.config.http;
    if (bytes <= max) return;
    const detail = `text: ${bytes} bytes are too many; at most ${max} are taken`;
    throw new Problem({ status: 413, code: 'too_large', detail });
  }
}

function unsupported(mediaType: string, format: DocumentFormat | 'text' | undefined): Problem {
  const detail =
    format === undefined
      ? `media_type: no text can be taken from "${mediaType}"; what can be read is ${READABLE_FORMATS}`
      : `media_type: a file of type "${mediaType}" is not text; send its bytes as content_base64`;
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}

function notRecognised(mediaType: string): Problem {
  const detail = `media_type: the text of pictures (${mediaType}) is not recognised here, because filesystem.ocr.enabled is false; what else can be read is ${READABLE_FORMATS}`;
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}

/** Control characters that texts do not use; a few may occur by accident. */
const CONTROL = /[\0-\x06\x0e-\x1a\x1c-\x1f]/g;
const BINARY_SAMPLE_CHARS = 4096;
const MAX_CONTROL_RATIO = 0.02;

function isBinary(text: string): boolean {
  const sample = text.slice(0, BINARY_SAMPLE_CHARS);
  return (sample.match(CONTROL)?.length ?? 0) > Math.max(1, sample.length * MAX_CONTROL_RATIO);
}

function notText(binary: boolean): Problem {
  if (binary) {
    const detail = `body: these bytes are not text; what can be read is ${READABLE_FORMATS}`;
    return new Problem({ status: 415, code: 'unsupported_media_type', detail });
  }
  return badRequest(
    'invalid_utf8',
    'body: these bytes are not UTF-8 text, and their charset can not be detected; convert the file to UTF-8, or name its charset in the content-type, as text/plain; charset=windows-1252',
  );
}
