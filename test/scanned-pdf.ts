import type { Canvas } from '@napi-rs/canvas';
import { pdfOfContents } from './sample-files.js';

/** A PDF of pages that are text (operators), a picture over the whole page, or both. */
export async function scannedPdf(pages: readonly (string | Canvas | [Canvas, string])[]): Promise<Buffer> {
  const firstPicture = 3 + 2 * pages.length;
  const pictures: string[] = [];
  const contents: string[] = [];
  for (const page of pages) {
    const [picture, text] = Array.isArray(page) ? page : typeof page === 'string' ? [undefined, page] : [page, ''];
    contents.push(picture === undefined ? text : `q 612 0 0 792 0 0 cm /I${pictures.length} Do Q ${text}`);
    if (picture !== undefined) pictures.push(pictureObject(picture, await picture.encode('jpeg', 85)));
  }
  const names = pictures.map((_, i) => `/I${i} ${firstPicture + i} 0 R`).join(' ');
  return pdfOfContents(contents, '', '', { xObjects: names }, ...pictures);
}

function pictureObject({ width, height }: Canvas, jpeg: Buffer): string {
  const size = `/Width ${width} /Height ${height} /BitsPerComponent 8 /ColorSpace /DeviceRGB`;
  return `<< /Type /XObject /Subtype /Image ${size} /Filter /DCTDecode /Length ${jpeg.length} >>\nstream\n${jpeg.toString('latin1')}\nendstream`;
}
