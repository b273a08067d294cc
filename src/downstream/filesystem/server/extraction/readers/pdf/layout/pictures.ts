import type { PdfPage } from '../outline.ts';
import { drawingsOf } from './drawings.ts';

/** A raster picture of a page. */
export interface Picture {
  /** The share of the page that it covers, from 0 to 1. */
  share: number;
  /** Its pixels and its place: the same for a picture that stands on several pages. */
  mark: string;
}

/** A smaller picture is a symbol, a signature or a decoration. */
const MIN_SHARE = 0.03;
/** Pictures that cover more of a page are its background, or the scan whose text it has. */
const BACKGROUND_SHARE = 0.5;

/** @throws Error where the drawings of the page cannot be read */
export async function picturesOf(page: PdfPage): Promise<Picture[]> {
  const { drawings, operators } = await drawingsOf(page);
  const paints = new Set([
    operators.paintImageXObject,
    operators.paintInlineImageXObject,
    operators.paintImageMaskXObject,
  ]);
  const [left = 0, bottom = 0, right = 0, top = 0] = page.view;
  const pageArea = (right - left) * (top - bottom);
  const found: Picture[] = [];
  for (const { operator, args, matrix } of drawings) {
    if (!paints.has(operator)) continue;
    // A picture fills the square from 0 to 1 of its space.
    const [a, b, c, d] = matrix;
    const pixels = (args ?? []).filter((arg) => typeof arg === 'number');
    found.push({
      share: Math.abs(a * d - b * c) / pageArea,
      mark: [...pixels, ...matrix.map(Math.round)].join(' '),
    });
  }
  return found;
}

export const shareOf = (pictures: readonly Picture[]) => pictures.reduce((sum, { share }) => sum + share, 0);

/** The pictures that say something beside the text of a page. */
export function besideText(pictures: readonly Picture[]): Picture[] {
  return shareOf(pictures) > BACKGROUND_SHARE ? [] : pictures.filter(({ share }) => share >= MIN_SHARE);
}
