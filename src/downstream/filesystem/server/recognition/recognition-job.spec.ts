import type { DocumentRow } from '../documents/document-row.js';
import { pendingWarning } from '../extraction/recognition/recognised-text.js';
import { RecognitionJob } from './recognition-job.js';
import { TurnQueue } from './turn-queue.js';

const KEY = { userId: 'ada', projectId: 'p' };
function jobOf(pages: number[] | undefined): RecognitionJob {
  const row = { path: 'a.pdf', version: 'v', tags: null, warnings: JSON.stringify(pendingWarning(pages)) };
  return new RecognitionJob(KEY, row as DocumentRow);
}
const EMPTY = { text: '', pages: [], warnings: [] };
const page = (number: number) => ({ kind: 'page' as const, page: number, text: `page ${number}`, confidence: 90 });

describe('RecognitionJob', () => {
  it('sets a page aside that ends its process twice, and reads the others', () => {
    const job = jobOf([1, 2, 3]);
    job.open([1, 2, 3]);
    job.take(page(1));
    job.end({ kind: 'stuck', page: 2, why: 'it hangs' });
    expect(job.left).toEqual([2, 3]);
    job.end({ kind: 'stuck', page: 2, why: 'it hangs' });
    expect(job.left).toEqual([3]);
    job.take(page(3));
    job.end({ kind: 'done' });
    expect(job.isComplete).toBe(true);
    const { text, warnings } = job.textWith(EMPTY, 'pdf');
    expect(text).toBe('page 1\n\npage 3');
    expect(warnings.map(({ code, place }) => [code, place])).toEqual([
      ['ocr_confidence', undefined],
      ['ocr_failed', 'pages 2'],
    ]);
    expect(job.failures).toEqual(['pages 2: it hangs']);
  });

  it('gives up a file that can not be opened, at once or after it ended the process twice', () => {
    const damaged = jobOf(undefined);
    damaged.end({ kind: 'fault', why: 'it is damaged' });
    expect(damaged.textWith(EMPTY, 'picture').warnings.map(({ code }) => code)).toEqual(['ocr_failed']);
    const deadly = jobOf([4, 5]);
    deadly.end({ kind: 'stuck', page: 0, why: 'it ended' });
    expect(deadly.isComplete).toBe(false);
    deadly.end({ kind: 'stuck', page: 0, why: 'it ended' });
    expect(deadly.isComplete).toBe(true);
  });

  it('is stored a few times while a long file is read, and says what is left', () => {
    const job = jobOf(Array.from({ length: 400 }, (_, i) => i + 1));
    let stores = 0;
    for (let number = 1; number <= 400; number++) {
      job.take(page(number));
      if (!job.isDue) continue;
      stores++;
      job.stored(`v.${stores}`);
    }
    expect(stores).toBe(8);
    const short = jobOf([1, 2]);
    short.take(page(1));
    expect(short.isDue).toBe(false);
    const info = { path: 'a', version: 'v', title: '', media_type: '', bytes: 0, updated_at: '' };
    expect(short.withProgress({ ...info, warnings: pendingWarning([1, 2]) }).warnings).toEqual(pendingWarning([2]));
  });
});

describe('TurnQueue', () => {
  it('gives every user a turn, and every item of a user', () => {
    const queue = new TurnQueue<string>();
    for (const item of ['a1', 'a2', 'a3']) queue.add('ada', item);
    queue.add('bob', 'b1');
    const taken = [queue.next(), queue.next()];
    queue.add('bob', 'b1');
    expect([...taken, queue.next(), queue.next(), queue.next(), queue.next()]).toEqual([
      ...['a1', 'b1', 'a2', 'b1', 'a3', undefined],
    ]);
  });
});
