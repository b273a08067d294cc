import type { PdfPage } from '../outline.ts';
import { drawingsOf } from './drawings.ts';
import type { Line } from './lines.ts';

/** A page with fewer letters, such as a page number or the mark of a scanner, may be a scan. */
const FEW_LETTERS = 100;
/** The share of a page that pictures cover on a scan. */
const COVERED = 0.5;

/** Whether a page is a picture with a few words beside it. */
export async function isScan(page: PdfPage, lines: readonly Line[]): Promise<boolean> {
  const letters = lines.reduce((sum, { text }) => sum + text.replaceAll(/\s/g, '').length, 0);
  if (letters >= FEW_LETTERS) return false;
  const { drawings, operators } = await drawingsOf(page);
  const paints = new Set([
    operators.paintImageXObject,
    operators.paintInlineImageXObject,
    operators.paintImageMaskXObject,
  ]);
  const [left = 0, bottom = 0, right = 0, top = 0] = page.view;
  let covered = 0;
  // A picture fills the square from 0 to 1 of its space.
  for (const { operator, matrix } of drawings) {
    const [a, b, c, d] = matrix;
    if (paints.has(operator)) covered += Math.abs(a * d - b * c);
  }
  return covered >= COVERED * (right - left) * (top - bottom);
}
