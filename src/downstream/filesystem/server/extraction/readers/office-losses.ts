import type { Warning, WarningCode } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';

/** Parts of Office Open XML files from which no text is extracted. */
const LOST: [RegExp, WarningCode, string][] = [
  [/\/charts\/chart\d*\.xml$/, 'charts_left_out', 'charts are left out'],
  [/\/embeddings\/[^/]+$/, 'embedded_files_left_out', 'embedded files are left out'],
  [/\/media\/[^/]+\.(?:mp3|mp4|m4a|m4v|wav|wma|wmv|avi|mov|mpg|mpeg)$/i, 'media_left_out', 'recordings are left out'],
  [/\/vbaProject\.bin$/i, 'macros_left_out', 'macros are left out'],
];
const PICTURE = /\/media\/[^/]+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp|wdp)$/i;

/** @param names the names of all parts of the file */
export function officeLosses(names: readonly string[]): Warning[] {
  return LOST.flatMap(([pattern, code, what]) => {
    return counted(names.filter((name) => pattern.test(name)).length, code, what);
  });
}

/** For formats whose reader does not read descriptions of pictures. */
export function picturesLeftOut(names: readonly string[]): Warning[] {
  return counted(names.filter((name) => PICTURE.test(name)).length, 'pictures_left_out', 'pictures are left out');
}
