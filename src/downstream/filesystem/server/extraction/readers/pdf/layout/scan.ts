import type { PdfPage } from '../outline.ts';
import type { Line } from './lines.ts';
import { picturesOf, shareOf } from './pictures.ts';

/** A page with fewer letters, such as a page number or the mark of a scanner, may be a scan. */
const FEW_LETTERS = 100;
/** The share of a page that pictures cover on a scan. */
const COVERED = 0.5;

/** Finds pages that are a picture with a few words beside it. */
export class Scans {
  private looked = 0;
  private found = 0;

  /** Without time to look at drawings, a page with a few words is taken for what most of those before were. */
  async has(page: PdfPage, lines: Line[], look: (lines: Line[]) => boolean): Promise<boolean> {
    if (lines.length === 0) return true;
    const letters = lines.reduce((sum, { text }) => sum + text.replaceAll(/\s/g, '').length, 0);
    if (letters >= FEW_LETTERS) return false;
    if (!look(lines)) return this.found > this.looked / 2;
    const isScan = await picturesOf(page)
      .then((pictures) => shareOf(pictures) >= COVERED)
      .catch(() => false);
    this.looked++;
    if (isScan) this.found++;
    return isScan;
  }
}
