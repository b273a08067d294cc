import { type DocumentFormat, documentFormatOf, isTextType } from '../../../../contract/document-format.js';

/** The `charset` parameter of a media type, in lower case. */
export function charsetOf(mediaType: string): string | undefined {
  return /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(mediaType)?.[1]?.toLowerCase();
}

/** The type only, without parameters, in lower case. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';')[0] as string).trim().toLowerCase();
}

/**
 * How the text of a file is obtained: `text` where the file is the text. Undefined where no text can be extracted from
 * such a file.
 */
export function formatOf(essence: string): DocumentFormat | 'text' | undefined {
  return documentFormatOf(essence) ?? (isTextType(essence) ? 'text' : undefined);
}
