import type { DocumentFormat } from './media-type.js';

/** Why no text can be taken from a file, for people. */
export class UnreadableDocument extends Error {}

/** Takes the text out of files. */
export class TextExtractor {
  /** @throws UnreadableDocument */
  textOf(content: Uint8Array, format: DocumentFormat): Promise<string> {
    if (format !== 'text') return Promise.reject(new UnreadableDocument(`${format} files can't be read yet`));
    return new Promise((resolve) => resolve(decode(content)));
  }
}

function decode(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new UnreadableDocument('it is not UTF-8 text');
  }
}
