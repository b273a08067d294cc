// A thread for one PDF, so that a page that never ends can be aborted. Imports end in `.ts`, because tests start this
// file without a build; the compiler rewrites them.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { getDocumentProxy } from 'unpdf';
import { outlineOf } from './outline.ts';
import type { Line } from './layout/lines.ts';
import { Scans } from './layout/scan.ts';
import { textOfPage } from './page-text.ts';
import type { PdfJob, PdfMessage } from './pdf.ts';

/** Files of the release of PDF.js in unpdf: the CMaps of Adobe's CJK fonts, and the metrics of the standard fonts. */
const DATA = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')));
const OPTIONS = {
  verbosity: 0,
  cMapUrl: join(DATA, 'cmaps/'),
  cMapPacked: true,
  standardFontDataUrl: join(DATA, 'standard_fonts/'),
  // Larger pictures are not decoded, because they would use up the memory.
  maxImageSize: 25_000_000,
};

const say = (message: PdfMessage) => parentPort?.postMessage(message);

/** Hands the text over before it is known what the drawings say. */
const look = (page: number, untilMs: number) => (lines: Line[]) => {
  const isTime = Date.now() < untilMs;
  if (isTime) say({ kind: 'draft', page, lines });
  return isTime;
};

async function read({ content, from, lookUntilMs }: PdfJob): Promise<void> {
  const scans = new Scans();
  const pdf = await getDocumentProxy(content, OPTIONS);
  const attachments = Object.keys((await pdf.getAttachments().catch(() => null)) ?? {});
  const { IsXFAPresent, IsAcroFormPresent } = ((await pdf.getMetadata().catch(() => undefined))?.info ?? {}) as {
    IsXFAPresent?: boolean;
    IsAcroFormPresent?: boolean;
  };
  const isDynamicForm = IsXFAPresent === true && IsAcroFormPresent !== true;
  const hasScripts = await pdf.hasJSActions().catch(() => false);
  const outline = await outlineOf(pdf);
  say({ kind: 'opened', pages: pdf.numPages, outline, attachments, isDynamicForm, hasScripts });
  for (let page = from; page <= pdf.numPages; page++) {
    const text = await pdf
      .getPage(page)
      .then((opened) => textOfPage(opened, scans, look(page, lookUntilMs)))
      .catch(() => undefined);
    say({ kind: 'page', page, text });
  }
}

try {
  await read(workerData as PdfJob);
} catch (error) {
  const { name, message } = error as Error;
  const isLocked = name === 'PasswordException';
  say({
    kind: 'fault',
    why: isLocked ? 'it is protected by a password' : `it is not a PDF that can be read (${message})`,
  });
}
// PDF.js keeps timers and ports open, so the thread must be ended explicitly.
process.exit();
