import { LRUCache } from 'lru-cache';
import type { AnalysedDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';

/** The most passages of documents that are kept until the index has taken them. */
const MAX_PASSAGES = 20_000;

/** Tells the index of this process what this process has committed. */
export class Changes {
  private readonly analysed = new LRUCache<string, AnalysedDocument>({
    maxSize: MAX_PASSAGES,
    sizeCalculation: ({ passages }) => passages.length + 1,
  });
  private listener: (key: ProjectKey) => void = () => undefined;

  listen(listener: (key: ProjectKey) => void): void {
    this.listener = listener;
  }

  /** @param file the file with the text of the document */
  stored(key: ProjectKey, file: string, analysed: AnalysedDocument): void {
    this.analysed.set(file, analysed);
    this.listener(key);
  }

  changed(key: ProjectKey): void {
    this.listener(key);
  }

  /** The analysis of a file's text, which is then forgotten; undefined where another process has made it. */
  take(file: string): AnalysedDocument | undefined {
    const analysed = this.analysed.get(file);
    this.analysed.delete(file);
    return analysed;
  }
}
