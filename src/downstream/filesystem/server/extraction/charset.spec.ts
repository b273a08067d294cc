import iconv from 'iconv-lite';
import { decodeText } from './charset.js';

const russian = 'Привет, как дела? Сегодня хорошая погода в Москве.';
const japanese = 'これはテストです。日本語の文章を書きます。';

describe('decodeText', () => {
  it.each([
    ['windows-1252', 'Die Straße nach Köln, “quoted” – 5 €'],
    ['koi8-r', russian],
    ['shift_jis', japanese],
    ['gbk', '名称,数量'],
    ['utf-16le', 'plain'],
  ])('takes the declared charset %s', (charset, text) => {
    expect(decodeText(iconv.encode(text, charset), [charset])).toEqual({ text, warnings: [] });
  });

  it.each([
    ['KOI8-R', 'koi8-r', russian],
    ['windows-1251', 'windows-1251', `${russian} ${russian}`],
    ['Shift_JIS', 'shift_jis', japanese],
    ['EUC-JP', 'euc-jp', japanese],
    ['GBK', 'gbk', '这是一个测试文件，里面有中文内容。'],
    ['windows-1252', 'windows-1252', 'Die Straße nach Köln ist schön und grün.'],
    ['UTF-16 without a byte order mark', 'utf-16le', 'Die Straße nach Köln'],
    ['UTF-16 that is valid UTF-8, too', 'utf-16le', 'Plain words in Latin letters'],
    ['big-endian UTF-16 that is valid UTF-8, too', 'utf-16be', 'Plain words in Latin letters'],
  ])('detects %s and says so', (_name, encoding, text) => {
    const decoded = decodeText(iconv.encode(text, encoding), [undefined]);
    expect(decoded?.text).toBe(text);
    expect(decoded?.warnings).toEqual([expect.objectContaining({ code: 'charset_detected' })]);
  });

  it.each(['utf-16le', 'utf-16be', 'utf-32le', 'utf-32be', 'utf8'])(
    'follows a byte order mark in %s, whatever is declared',
    (encoding) => {
      const bytes = iconv.encode('grün', encoding, { addBOM: true });
      expect(decodeText(bytes, ['iso-8859-1'])).toEqual({ text: 'grün', warnings: [] });
    },
  );

  it('ignores a declaration of UTF-8 that the bytes contradict', () => {
    const text = 'Die Straße nach Köln ist schön und grün.';
    expect(decodeText(iconv.encode(text, 'windows-1252'), ['utf-8'])?.text).toBe(text);
  });

  it('reads damaged UTF-8 as UTF-8 and counts the replaced bytes', () => {
    const bytes = Buffer.concat([Buffer.from('größer, schöner, süßer '), Buffer.from([0xff]), Buffer.from(' end')]);
    const { text, warnings } = decodeText(bytes, [undefined])!;
    expect(text).toBe('größer, schöner, süßer \ufffd end');
    expect(warnings).toEqual([expect.objectContaining({ code: 'characters_replaced', count: 1 })]);
  });

  it('does not count replacement characters that are in the file itself', () => {
    expect(decodeText(Buffer.from('a \ufffd b'), [undefined])?.warnings).toEqual([]);
  });

  it('names a charset that does not exist', () => {
    expect(decodeText(Buffer.from('x'), ['utf-99'])?.warnings).toEqual([
      expect.objectContaining({ code: 'charset_unknown', detail: expect.stringContaining('"utf-99"') }),
    ]);
  });

  it('returns undefined where the bytes are too few to detect a charset', () => {
    expect(decodeText(Buffer.from([0xc3, 0x28]), [undefined])).toBeUndefined();
  });
});
