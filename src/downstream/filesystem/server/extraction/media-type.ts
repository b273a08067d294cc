/** How the text of a document is got: it is the text, or it is taken out of a file of this format. */
export type DocumentFormat = 'text' | 'html' | 'pdf' | 'docx';

const FORMATS: Record<string, DocumentFormat> = {
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
};
const TEXT =
  /^(text\/.+|application\/(.+\+(json|xml|yaml)|json|xml|yaml|x-yaml|toml|sql|graphql|javascript|ecmascript|typescript|x-(sh|python|ruby|perl|tex|latex|typescript|javascript|httpd-php)))$/;

export const READABLE_FORMATS = 'text (text/*, JSON, XML, YAML, source code), HTML, PDF and DOCX';

/** The `charset` parameter of a media type, in lower case. */
export function charsetOf(mediaType: string): string | undefined {
  return /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(mediaType)?.[1]?.toLowerCase();
}

/** The type alone, without parameters, in lower case. */
export function essenceOf(mediaType: string): string {
  return (mediaType.split(';')[0] as string).trim().toLowerCase();
}

/** Undefined where no text can be got from such a file. */
export function formatOf(essence: string): DocumentFormat | undefined {
  return FORMATS[essence] ?? (TEXT.test(essence) ? 'text' : undefined);
}
