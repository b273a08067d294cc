interface Format {
  /** For people. */
  name: string;
  /** The first one is the registered one; the others are sent by clients as well. */
  types: readonly string[];
  extensions: readonly string[];
}

const OOXML = 'application/vnd.openxmlformats-officedocument';
const ODF = 'application/vnd.oasis.opendocument';
const MS = 'application/vnd.ms';

/** The media types of pictures by extension. */
const PICTURE_TYPES = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  bmp: 'image/bmp',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  heic: 'image/heic',
  heif: 'image/heif',
};

/** The formats of files that a text is taken out of; every other document is a text itself. */
export const DOCUMENT_FORMATS = {
  html: { name: 'HTML', types: ['text/html', 'application/xhtml+xml'], extensions: ['html', 'htm', 'xhtml'] },
  mhtml: { name: 'MHTML', types: ['application/x-mimearchive', 'multipart/related'], extensions: ['mht', 'mhtml'] },
  pdf: { name: 'PDF', types: ['application/pdf', 'application/x-pdf'], extensions: ['pdf'] },
  docx: {
    name: 'DOCX',
    types: [
      `${OOXML}.wordprocessingml.document`,
      `${OOXML}.wordprocessingml.template`,
      `${MS}-word.document.macroenabled.12`,
    ],
    extensions: ['docx', 'dotx', 'docm'],
  },
  doc: { name: 'DOC', types: ['application/msword'], extensions: ['doc', 'dot'] },
  odt: { name: 'ODT', types: [`${ODF}.text`, `${ODF}.text-template`], extensions: ['odt', 'ott'] },
  rtf: { name: 'RTF', types: ['application/rtf', 'text/rtf', 'application/x-rtf'], extensions: ['rtf'] },
  epub: { name: 'EPUB', types: ['application/epub+zip'], extensions: ['epub'] },
  xlsx: {
    name: 'XLSX',
    types: [
      `${OOXML}.spreadsheetml.sheet`,
      `${OOXML}.spreadsheetml.template`,
      `${MS}-excel.sheet.macroenabled.12`,
      `${MS}-excel.sheet.binary.macroenabled.12`,
    ],
    extensions: ['xlsx', 'xltx', 'xlsm', 'xlsb'],
  },
  xls: { name: 'XLS', types: [`${MS}-excel`], extensions: ['xls', 'xlt'] },
  ods: { name: 'ODS', types: [`${ODF}.spreadsheet`, `${ODF}.spreadsheet-template`], extensions: ['ods', 'ots'] },
  pptx: {
    name: 'PPTX',
    types: [
      `${OOXML}.presentationml.presentation`,
      `${OOXML}.presentationml.slideshow`,
      `${OOXML}.presentationml.template`,
      `${MS}-powerpoint.presentation.macroenabled.12`,
    ],
    extensions: ['pptx', 'ppsx', 'potx', 'pptm'],
  },
  odp: { name: 'ODP', types: [`${ODF}.presentation`, `${ODF}.presentation-template`], extensions: ['odp', 'otp'] },
  eml: { name: 'EML', types: ['message/rfc822'], extensions: ['eml'] },
  mbox: { name: 'MBOX', types: ['application/mbox'], extensions: ['mbox', 'mbx'] },
  msg: { name: 'MSG', types: [`${MS}-outlook`], extensions: ['msg'] },
  ipynb: { name: 'IPYNB', types: ['application/x-ipynb+json'], extensions: ['ipynb'] },
  subtitles: {
    name: 'SRT and VTT',
    types: ['application/x-subrip', 'text/vtt', 'text/srt', 'text/x-srt'],
    extensions: ['srt', 'vtt'],
  },
  picture: {
    name: 'PNG, JPEG, WebP, GIF, BMP, TIFF and HEIC',
    types: [...new Set(Object.values(PICTURE_TYPES)), 'image/jpg', 'image/x-ms-bmp'],
    extensions: [],
  },
} as const satisfies Record<string, Format>;
export type DocumentFormat = keyof typeof DOCUMENT_FORMATS;

const ENTRIES = Object.entries(DOCUMENT_FORMATS) as [DocumentFormat, Format][];
const BY_TYPE = new Map(ENTRIES.flatMap(([format, { types }]) => types.map((type) => [type, format] as const)));
const TYPE_BY_EXTENSION = new Map([
  ...ENTRIES.flatMap(([, { types, extensions }]) => extensions.map((end) => [end, types[0] as string] as const)),
  ...Object.entries(PICTURE_TYPES),
]);

/** The names of all formats, for the answer to a file that is none of them. */
export const READABLE_FORMATS = `text in any charset (Markdown, CSV, JSON, YAML, source code and other text/*) and ${ENTRIES.map(
  ([, { name }]) => name,
).join(', ')}`;

/** Undefined where a file of this media type, in lower case and without parameters, is a text or can not be read. */
export function documentFormatOf(mediaType: string): DocumentFormat | undefined {
  return BY_TYPE.get(mediaType);
}

const TEXT =
  /^(?:text\/.+|application\/(?:.+\+(?:json|xml|yaml)|json|xml|yaml|x-yaml|toml|sql|graphql|javascript|ecmascript|typescript|x-(?:sh|python|ruby|perl|tex|latex|typescript|javascript|httpd-php)))$/;

/** Whether a file of this media type is the text itself. */
export function isTextType(mediaType: string): boolean {
  return documentFormatOf(mediaType) === undefined && TEXT.test(mediaType);
}

/** The media type by the ending of a name; undefined where no format has that ending. */
export function extractedTypeOf(name: string): string | undefined {
  return TYPE_BY_EXTENSION.get(/\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? '');
}
