import {
  type KnownText,
  pendingPages,
  pendingWarning,
  withPending,
  withRecognised,
} from '../src/downstream/filesystem/server/extraction/recognition/recognised-text.js';

type Warning = KnownText['warnings'][number];

const page = (number: number, text: string | undefined, confidence: number | undefined = 90) => ({
  ...{ kind: 'page' as const, page: number, text, confidence },
});
const known: KnownText = {
  text: 'one\n\nfour',
  pages: [
    { page: 1, start: 0 },
    { page: 4, start: 5 },
  ],
  warnings: [
    ...pendingWarning([2, 3, 5, 6, 7]),
    { code: 'attachments_left_out', detail: 'the attached files', count: 1 },
  ],
};

describe('the text of a document with recognised pages', () => {
  it('has them in their places, and their confidence, over several parts', () => {
    const first = withRecognised(known, { recognised: [page(2, 'two', 80), page(3, '')], failed: [], left: [5, 6, 7] });
    expect(first.text).toBe('one\n\ntwo\n\nfour');
    expect(first.pages).toEqual([
      { page: 1, start: 0 },
      { page: 2, start: 5 },
      { page: 4, start: 10 },
    ]);
    expect(pendingPages(first.warnings)).toEqual({ isPending: true, pages: [5, 6, 7] });
    const last = withRecognised(first, {
      ...{
        recognised: [page(5, 'five', 40), page(6, undefined), { ...page(7, 'seven'), confidence: undefined }],
        failed: [],
        left: [],
      },
    });
    expect(last.text).toBe('one\n\ntwo\n\nfour\n\nfive\n\nseven');
    expect(last.warnings).toEqual([
      { code: 'attachments_left_out', detail: 'the attached files', count: 1 },
      { code: 'ocr_confidence', detail: expect.any(String), count: 2, percent: 60, place: 'pages 5' },
      { code: 'no_text', detail: expect.any(String), count: 1, place: 'pages 3' },
      { code: 'ocr_failed', detail: expect.any(String), count: 1, place: 'pages 6' },
    ]);
  });

  it('keeps the heading of a page before its recognised text', () => {
    const scan = { text: '## Chapter', pages: [{ page: 9, start: 0 }], warnings: pendingWarning([9]) };
    expect(withRecognised(scan, { recognised: [page(9, 'words')], failed: [], left: [] }).text).toBe(
      '## Chapter\n\nwords',
    );
  });

  it('has the printed words of a scan once', () => {
    const scan = { text: 'Scanned by Ada\nPage 7', pages: [{ page: 1, start: 0 }], warnings: pendingWarning([1]) };
    const recognised = [page(1, 'Dear Bob\n\nscanned by Ada.\nPage 77')];
    expect(withRecognised(scan, { recognised, failed: [], left: [] }).text).toBe(
      'Scanned by Ada\nPage 7\n\nDear Bob\n\nPage 77',
    );
  });

  it('waits for scans and for the pages for which the time was too short', () => {
    const on = (code: Warning['code'], place: string) => ({ code, detail: '', place });
    const warnings = withPending([
      on('pages_without_text', 'pages 2'),
      on('pages_left_out', 'pages 4-6'),
      on('no_text', ''),
    ]);
    expect(warnings.map(({ code, place }) => [code, place])).toEqual([
      ['ocr_pending', 'pages 2, 4-6'],
      ['no_text', ''],
    ]);
    expect(withPending([])).toEqual([]);
  });
});
