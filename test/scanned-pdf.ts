import type { Canvas } from '@napi-rs/canvas';
import { pdfOfContents } from './sample-files.js';

/** A PDF of pages that are text (operators) or a picture over the whole page. */
export async function scannedPdf(
  pages: readonly (string | Canvas)[],
  catalog = '',
  ...more: string[]
): Promise<Buffer> {
  const firstPicture = 3 + 2 * pages.length;
  const pictures: string[] = [];
  const contents: string[] = [];
  for (const page of pages) {
    if (typeof page === 'string') contents.push(page);
    else {
      const jpeg = await page.encode('jpeg', 85);
      contents.push(`612 0 0 792 0 0 cm /I${pictures.length} Do`);
      pictures.push(
        `<< /Type /XObject /Subtype /Image /Width ${page.width} /Height ${page.height} /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n${jpeg.toString('latin1')}\nendstream`,
      );
    }
  }
  const names = pictures.map((_, i) => `/I${i} ${firstPicture + i} 0 R`).join(' ');
  return pdfOfContents(contents, catalog, '', { xObjects: names }, ...pictures, ...more);
}
