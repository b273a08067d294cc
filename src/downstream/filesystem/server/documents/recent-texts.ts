import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

const MAX_CHARS = 8 * 1024 * 1024;

/**
 * The texts that were stored last, by the names of their files. The index reads each of them directly after it was stored:
 * from here without an access to the disk. A file is never changed, so its text is current as long as a row names it.
 */
@Injectable()
export class RecentTexts {
  private readonly texts = new LRUCache<string, string>({
    maxSize: MAX_CHARS,
    sizeCalculation: (text) => text.length + 1,
  });

  keep(file: string, text: string): void {
    this.texts.set(file, text);
  }

  /** The text of a file, which is then forgotten. */
  take(file: string): string | undefined {
    const text = this.texts.get(file);
    this.texts.delete(file);
    return text;
  }
}
