const PICTURE = 'save it as PNG or JPEG';
const ARCHIVE = 'pack its files as .zip or .tar.gz and send them to POST …/documents';
const SLIDES = 'save it as .pptx or PDF';
const TEXT = 'save it as .docx or PDF';
const SHEET = 'save it as .xlsx or PDF';
const BOOK = 'convert it to EPUB or PDF';

/** What to do with files of other formats, by media type or by the extension of the name. */
const ADVICE: Readonly<Record<string, string>> = {
  'application/vnd.ms-powerpoint': SLIDES,
  ...{ ppt: SLIDES, pps: SLIDES, pot: SLIDES, key: SLIDES },
  ...{ pages: TEXT, wpd: TEXT, wps: TEXT, hwp: TEXT, one: TEXT, vsd: TEXT, vsdx: TEXT, pub: TEXT },
  numbers: SHEET,
  ...{ mobi: BOOK, azw: BOOK, azw3: BOOK, fb2: BOOK, djvu: BOOK, chm: BOOK },
  'application/x-7z-compressed': ARCHIVE,
  'application/vnd.rar': ARCHIVE,
  'application/x-bzip2': ARCHIVE,
  'application/x-xz': ARCHIVE,
  ...{ '7z': ARCHIVE, rar: ARCHIVE, bz2: ARCHIVE, xz: ARCHIVE, zst: ARCHIVE },
  'image/avif': PICTURE,
  ...{
    avif: PICTURE,
    jp2: PICTURE,
    jxl: PICTURE,
    ico: PICTURE,
    psd: PICTURE,
    dng: PICTURE,
    cr2: PICTURE,
    nef: PICTURE,
  },
};

/** How a file that is not read becomes one that is; undefined where there is nothing to advise. */
export function adviceFor(name: string, mediaType: string): string | undefined {
  return ADVICE[mediaType] ?? ADVICE[/\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''];
}
