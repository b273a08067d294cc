// A process of its own, with a bounded heap and no secrets in its environment, that is killed when it takes too long:
// nothing but packages is imported, and these only where they are needed.
import { Worker } from 'node:worker_threads';

export interface ExtractionJob {
  content: Uint8Array;
  format: 'html' | 'pdf' | 'docx';
  /** The longest text that is taken. */
  maxTextBytes: number;
}
export type ExtractionResult = { text: string } | { fault: string };

/** What is wrong with a file, for people. */
class Fault extends Error {}

/** The parts of a DOCX may unpack to so many times the largest text: markup is bulky, a zip bomb is bulkier. */
const MAX_MARKUP_RATIO = 10;
const MAX_HTML_DEPTH = 500;
const MAX_WHY_CHARS = 200;
/** Unpacks to 4 MiB at most: what is too much is noticed soon. */
const CHUNK_BYTES = 4096;

async function textOf({ content, format, maxTextBytes }: ExtractionJob): Promise<string> {
  const read = { html: fromHtml, pdf: fromPdf, docx: fromDocx }[format];
  // What comes as a Buffer is made a plain array: that is what the parsers take.
  const text = (await read(new Uint8Array(content), maxTextBytes)).replaceAll('\0', '').toWellFormed().trim();
  if (text === '') {
    throw new Fault(format === 'pdf' ? 'its pages hold no text (are they pictures of pages?)' : 'it holds no text');
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxTextBytes) throw new Fault(`its text has ${bytes} bytes; at most ${maxTextBytes} are taken`);
  return text;
}

async function fromHtml(content: Uint8Array): Promise<string> {
  return htmlToText(new TextDecoder(charsetOf(content)).decode(content));
}

/** As the file says, in its byte order mark or near its beginning; UTF-8 where it says nothing. */
function charsetOf(content: Uint8Array): string {
  if (content[0] === 0xff && content[1] === 0xfe) return 'utf-16le';
  if (content[0] === 0xfe && content[1] === 0xff) return 'utf-16be';
  const head = Buffer.from(content.subarray(0, 2048)).toString('latin1');
  const label = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return 'utf-8';
  }
}

async function htmlToText(html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  return convert(html, {
    wordwrap: false,
    limits: { maxInputLength: Infinity, maxDepth: MAX_HTML_DEPTH },
    formatters: {
      // Headings keep their level, as Markdown writes it: passages are cut along them.
      markedHeading: (element, walk, builder) => {
        builder.openBlock({ leadingLineBreaks: 2 });
        builder.addInline(`${'#'.repeat(Number(element.name?.[1] ?? 1))} `);
        walk(element.children, builder);
        builder.closeBlock({ trailingLineBreaks: 2 });
      },
    },
    selectors: [
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, format: 'markedHeading' })),
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'table', format: 'dataTable' },
    ],
  });
}

async function fromPdf(content: Uint8Array): Promise<string> {
  const { extractText, getDocumentProxy } = await import('unpdf');
  try {
    const { text } = await extractText(await getDocumentProxy(content, { verbosity: 0 }), { mergePages: false });
    return text.join('\n\n');
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'PasswordException') throw new Fault('it is protected by a password');
    throw new Fault(`it is not a PDF that can be read (${message})`);
  }
}

async function fromDocx(content: Uint8Array, maxTextBytes: number): Promise<string> {
  if (content[0] !== 0x50 || content[1] !== 0x4b) throw new Fault('it is not a DOCX: these are ZIP archives');
  await refuseZipBomb(content, maxTextBytes * MAX_MARKUP_RATIO);
  const { default: mammoth } = await import('mammoth');
  const noImages = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  let html: string;
  try {
    html = (await mammoth.convertToHtml({ buffer: Buffer.from(content) }, { convertImage: noImages })).value;
  } catch (error) {
    throw new Fault(`it is not a DOCX that can be read (${(error as Error).message.split(' : ')[0]})`);
  }
  return htmlToText(html);
}

/** Unpacks everything once without keeping it: what an archive says about its sizes need not be true. */
async function refuseZipBomb(content: Uint8Array, maxBytes: number): Promise<void> {
  const { Unzip, UnzipInflate } = await import('fflate');
  let unpacked = 0;
  let damage: string | undefined;
  const unzip = new Unzip((file) => {
    file.ondata = (error, data) => {
      damage ??= error?.message;
      unpacked += data?.length ?? 0;
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    try {
      unzip.push(content.slice(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= content.length);
    } catch (error) {
      damage ??= (error as Error).message;
    }
    if (unpacked > maxBytes) throw new Fault(`it unpacks to more than ${maxBytes} bytes`);
    if (damage !== undefined) throw new Fault(`it is a damaged archive (${damage})`);
  }
}

async function resultOf(job: ExtractionJob): Promise<ExtractionResult> {
  try {
    return { text: await textOf(job) };
  } catch (error) {
    // A parser that stumbles over a file says something about the file.
    const why = error instanceof Error ? error.message : String(error);
    return { fault: error instanceof Fault ? why : `it can't be read (${why.slice(0, MAX_WHY_CHARS)})` };
  }
}

/** A parser that is busy hears nothing: this thread ends the process when the one that started it is gone. */
const WATCHDOG = `
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGKILL'), 500);`;
new Worker(WATCHDOG, { eval: true }).unref();
process.once('disconnect', () => process.exit());
process.once('message', (job: ExtractionJob) => {
  void resultOf(job).then((result) => process.send?.(result));
});
