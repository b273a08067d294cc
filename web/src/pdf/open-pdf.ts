import { AnnotationMode, getDocument, type PDFDocumentProxy, type PDFPageProxy, PDFWorker, version } from 'pdfjs-dist';
import workerAddress from 'pdfjs-dist/build/pdf.worker.min.mjs?url';
import { passageMarks } from './passage-marks.ts';

/** Fonts, character maps and decoders of images; `pdfjs-parts.ts` puts them there. */
const PARTS = `/assets/pdfjs-${version}`;
/** A canvas of more pixels would need too much memory on a phone. */
const MAX_PIXELS = 8_000_000;

/**
 * The policy under which the one worker of the page is made. It gives that address and no other, so that `trusted-types`
 * stays as strict as without it.
 */
const policy = (
  globalThis as {
    trustedTypes?: { createPolicy: (name: string, rules: object) => { createScriptURL: (_: string) => URL } };
  }
).trustedTypes?.createPolicy('pdf-worker', { createScriptURL: () => workerAddress });

export interface Pdf {
  pages: number;
  page: (number: number) => Promise<PDFPageProxy>;
  close: () => void;
}

/** @throws if the bytes are no PDF that can be read, or one with a password */
export async function openPdf(bytes: ArrayBuffer): Promise<Pdf> {
  // A worker for each file: a file that is slow to draw delays no other, and `close` ends it at once.
  const port = new Worker(policy?.createScriptURL('') ?? workerAddress, { type: 'module' });
  const worker = PDFWorker.create({ port });
  const task = getDocument({
    data: bytes,
    worker,
    cMapUrl: `${PARTS}/cmaps/`,
    standardFontDataUrl: `${PARTS}/standard_fonts/`,
    wasmUrl: `${PARTS}/wasm/`,
    // The Content-Security-Policy allows no WebAssembly; pdf.js has each decoder in JavaScript, too.
    useWasm: false,
    enableXfa: false,
  });
  const close = () => {
    void task.destroy().catch(() => undefined);
    port.terminate();
  };
  try {
    const document: PDFDocumentProxy = await task.promise;
    return { pages: document.numPages, page: (number) => document.getPage(number), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** @param widthPx how wide the page is shown, in CSS pixels */
export function drawPage(page: PDFPageProxy, canvas: HTMLCanvasElement, widthPx: number) {
  const whole = page.getViewport({ scale: 1 });
  const wanted = (widthPx * devicePixelRatio) / whole.width;
  const scale = Math.min(wanted, Math.sqrt(MAX_PIXELS / (whole.width * whole.height)));
  const viewport = page.getViewport({ scale });
  canvas.width = Math.floor(viewport.width);
  canvas.height = Math.floor(viewport.height);
  return page.render({ canvas, viewport, annotationMode: AnnotationMode.DISABLE });
}

/** A box on a page, in percent of its width and height. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where a passage stands on a page. */
export async function boxesOf(page: PDFPageProxy, passage: string): Promise<Box[]> {
  const { items } = await page.getTextContent();
  const runs = items.filter((item) => 'str' in item);
  const viewport = page.getViewport({ scale: 1 });
  const texts = runs.map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str));
  return passageMarks(texts, passage).flatMap(({ item, from, to }): Box[] => {
    const run = runs[item];
    if (run === undefined) return [];
    const [a, b, c, d, x, y] = run.transform as [number, number, number, number, number, number];
    const size = Math.hypot(c, d);
    const along = Math.hypot(a, b) || 1;
    // Along the line, and from below it to above it.
    const corner = (part: number, height: number) =>
      viewport.convertToViewportPoint(
        x + (a / along) * run.width * part + (c / (size || 1)) * height,
        y + (b / along) * run.width * part + (d / (size || 1)) * height,
      ) as [number, number];
    const corners = [
      corner(from, -0.2 * size),
      corner(to, -0.2 * size),
      corner(from, 0.9 * size),
      corner(to, 0.9 * size),
    ];
    const lefts = corners.map(([left]) => (100 * left) / viewport.width);
    const tops = corners.map(([, top]) => (100 * top) / viewport.height);
    const [left, top] = [Math.min(...lefts), Math.min(...tops)];
    return [{ left, top, width: Math.max(...lefts) - left, height: Math.max(...tops) - top }];
  });
}
