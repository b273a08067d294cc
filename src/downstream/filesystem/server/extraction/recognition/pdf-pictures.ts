import { PDFiumLibrary, type PDFiumPage } from '@hyzyla/pdfium';
import { Fault } from '../readers/fault.ts';
import type { PictureSource } from './picture.ts';

/** The resolution at which Tesseract reads best, in dots per inch; a page is measured in 1/72 inch. */
const DPI = 300;
/** A page that is larger than about A4 is drawn at a lower resolution. */
const MAX_PIXELS = 10_000_000;

/** A page with fewer letters may be a scan with a page number or the mark of a scanner; it is read as a picture. */
const PRINTED_LETTERS = 100;

/**
 * Draws pages of a PDF that are pictures, and reads the text of others. PDFium runs as WebAssembly, so that a fault of it stays inside its memory, and needs no native
 * code, which the sandbox would not hold.
 */
export async function pagesOfPdf(content: Uint8Array): Promise<PictureSource> {
  const library = await PDFiumLibrary.init();
  const pdf = await library.loadDocument(content).catch((error: unknown) => {
    throw new Fault(`its pages can not be drawn (${error instanceof Error ? error.message : String(error)})`);
  });
  return {
    count: pdf.getPageCount(),
    page: async (number) => {
      const page = pdf.getPage(number - 1);
      const printed = page.getText().replaceAll(/\r\n?/g, '\n').trim();
      const letters = printed.replaceAll(/\s/g, '').length;
      if (letters >= PRINTED_LETTERS || (letters > 0 && !hasPicture(page))) return { printed };
      const { originalWidth, originalHeight } = page.getOriginalSize();
      const scale = Math.min(DPI / 72, Math.sqrt(MAX_PIXELS / (originalWidth * originalHeight)));
      const { width, height, data } = await page.render({ scale, colorSpace: 'Gray', render: 'bitmap' });
      return { width, height, gray: data };
    },
  };
}

/** A form may hold a picture. */
function hasPicture(page: PDFiumPage): boolean {
  for (const { type } of page.objects()) if (type === 'image' || type === 'form') return true;
  return false;
}
