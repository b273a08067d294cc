// A process of its own that recognises the text of pictures and of pages that are pictures, page by page. Imports end in
// `.ts`, because tests start this file without a build; the compiler rewrites them.
import { endWithParent } from '../orphan-watchdog.ts';
import { joinHyphenated } from '../readers/pdf/hyphens.ts';
import { Fault } from '../readers/fault.ts';
import { messageOf } from './decoding.ts';
import type { Picture, PictureSource, PrintedText } from './picture.ts';
import { Tesseract } from './tesseract.ts';

export interface RecognitionJob {
  content: Uint8Array;
  format: 'pdf' | 'picture';
  /** The pages to be read, counted from 1; undefined: all. */
  pages: number[] | undefined;
  languages: string[];
  /** The time that a page may take. */
  pageTimeoutMs: number;
}

/** First `opened`, then a `page` for each page that was read, at last `done`; or a `fault`. */
export type RecognitionMessage =
  | { kind: 'opened'; pages: number[] }
  /**
   * `text` is undefined where the page can not be drawn, and `why` says why, as far as it is known. `confidence` is undefined
   * where the text was printed and not recognised.
   */
  | { kind: 'page'; page: number; text: string | undefined; confidence: number | undefined; why?: string }
  | { kind: 'done' }
  | { kind: 'fault'; why: string };

/** Waits until the message was handed over, so that no message is lost when the process is killed on the next page. */
const say = (message: RecognitionMessage) =>
  new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()) ?? resolve());

async function recognise({ content, format, pages, languages, pageTimeoutMs }: RecognitionJob): Promise<void> {
  const source = await open(format, new Uint8Array(content));
  const tesseract = await Tesseract.load(languages);
  const wanted = (pages ?? Array.from({ length: source.count }, (_, i) => i + 1)).filter(
    (page) => page <= source.count,
  );
  await say({ kind: 'opened', pages: wanted });
  for (const page of wanted) {
    const picture = await source.page(page).catch((error: unknown) => ({ why: messageOf(error) }));
    if ('why' in picture) {
      await say({ kind: 'page', page, text: undefined, confidence: undefined, ...picture });
      continue;
    }
    const read = textOf(picture, tesseract, pageTimeoutMs);
    const [joined] = joinHyphenated([{ page, text: read?.text ?? '' }]);
    const why =
      read === undefined ? { why: 'it is damaged, or of a form that is not read; save it as PNG or JPEG' } : {};
    await say({ kind: 'page', page, text: read && joined?.text, confidence: read?.confidence, ...why });
  }
  await say({ kind: 'done' });
}

function textOf(page: Picture | PrintedText, tesseract: Tesseract, timeoutMs: number) {
  return 'printed' in page ? { text: page.printed, confidence: undefined } : tesseract.recognise(page, timeoutMs);
}

async function open(format: RecognitionJob['format'], content: Uint8Array): Promise<PictureSource> {
  if (format === 'pdf') return (await import('./pdf-pictures.ts')).pagesOfPdf(content);
  return (await import('./picture-files.ts')).picturesOf(content);
}

endWithParent();
process.once('message', (job: RecognitionJob) => {
  void recognise(job).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    return say({ kind: 'fault', why: error instanceof Fault ? why : `it can not be read (${why.slice(0, 200)})` });
  });
});
