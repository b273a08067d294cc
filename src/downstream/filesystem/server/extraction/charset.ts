import chardet from 'chardet';
import type { Warning } from '../../../../contract/warning.contract.ts';

export interface DecodedText {
  text: string;
  warnings: Warning[];
}

/** How many bytes detection reads: letter frequencies are stable long before. */
const SAMPLE_BYTES = 65_536;
/** On chardet's scale from 0 to 100: a few accented letters in a sentence reach 30 to 60, single ones stay below 20. */
const MIN_CONFIDENCE = 20;
/** A text with this many valid multi-byte sequences for each invalid byte is damaged UTF-8. */
const MIN_VALID_RATIO = 4;

/**
 * Decodes text in the order of the HTML standard (13.2.3.1): by its byte order mark, by the charset that the request or
 * the file declares, as UTF-8 where it is valid, otherwise by detection. A declaration of UTF-8 that the bytes
 * contradict is ignored, because many clients add it to every upload.
 * @returns undefined where no charset was declared and none can be detected
 */
export function decodeText(content: Uint8Array, declared: readonly (string | undefined)[]): DecodedText | undefined {
  if (isMarkedUtf32(content)) return decodeUtf32(content);
  const marked = bomCharset(content);
  if (marked !== undefined) return decodeAs(content, marked);
  const labels = declared.filter((label) => label !== undefined);
  const unknown = labels.filter((label) => encodingOf(label) === undefined);
  const warnings = unknown.map((label): Warning => ({
    code: 'charset_unknown',
    detail: `the declared charset ${JSON.stringify(label)} is not known, so it was detected from the bytes`,
  }));
  const named = labels.map(encodingOf).find((encoding) => encoding !== undefined);
  if (named !== undefined && named !== 'utf-8') return decodeAs(content, named, warnings);
  // Latin letters in UTF-16 are valid UTF-8, with a zero byte behind each letter.
  const wide = wideCharset(content.subarray(0, SAMPLE_BYTES));
  if (wide !== undefined) return decodeAs(content, wide, [...warnings, guessed(wide)]);
  const utf8 = decodeStrictly(content, 'utf-8');
  if (utf8 !== undefined) return { text: utf8, warnings };
  if (isDamagedUtf8(content)) return decodeAs(content, 'utf-8', warnings);
  const detected = detect(content);
  return detected === undefined ? undefined : decodeAs(content, detected, [...warnings, guessed(detected)]);
}

/** Like {@link decodeText}, with the default charset of browsers. */
export function decodeAsFallback(content: Uint8Array): DecodedText {
  return decodeAs(content, 'windows-1252', [guessed('windows-1252')]);
}

function guessed(charset: string): Warning {
  return { code: 'charset_detected', detail: `no valid charset was declared; the file was read as ${charset}` };
}

function decodeAs(content: Uint8Array, encoding: string, warnings: Warning[] = []): DecodedText {
  const text = new TextDecoder(encoding).decode(content);
  const replaced = decodeStrictly(content, encoding) === undefined ? (text.match(/\ufffd/g)?.length ?? 0) : 0;
  return { text, warnings: [...warnings, ...replacedWarning(replaced, encoding)] };
}

function replacedWarning(count: number, encoding: string): Warning[] {
  if (count === 0) return [];
  const detail = `${count} characters are not valid ${encoding} and were replaced by \ufffd`;
  return [{ code: 'characters_replaced', detail, count }];
}

function decodeStrictly(content: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

function bomCharset([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

/** U+FEFF in four bytes, little-endian or big-endian. */
function isMarkedUtf32(content: Uint8Array): boolean {
  const mark = content.length % 4 === 0 ? [...content.subarray(0, 4)].join() : '';
  return mark === '255,254,0,0' || mark === '0,0,254,255';
}

/** The Encoding standard has no decoder for UTF-32. */
function decodeUtf32(content: Uint8Array): DecodedText {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const isLittle = content[0] === 0xff;
  const parts: string[] = [];
  let replaced = 0;
  for (let at = 4; at < content.length; at += 4) {
    const point = view.getUint32(at, isLittle);
    const isValid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    if (!isValid) replaced++;
    parts.push(isValid ? String.fromCodePoint(point) : '\ufffd');
  }
  return { text: parts.join(''), warnings: replacedWarning(replaced, 'utf-32') };
}

/** The encoding for a label, as browsers resolve it. */
function encodingOf(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

function isDamagedUtf8(content: Uint8Array): boolean {
  const text = new TextDecoder().decode(content.subarray(0, SAMPLE_BYTES));
  const invalid = text.match(/\ufffd/g)?.length ?? 0;
  const valid = text.match(/[^\p{ASCII}\ufffd]/gu)?.length ?? 0;
  return valid >= invalid * MIN_VALID_RATIO;
}

function detect(content: Uint8Array): string | undefined {
  const sample = content.subarray(0, SAMPLE_BYTES);
  // Only UTF-16 uses zero bytes in text, and was detected before.
  if (sample.includes(0)) return undefined;
  for (const { name, confidence } of chardet.analyse(sample)) {
    if (confidence < MIN_CONFIDENCE) return undefined;
    const encoding = encodingOf(name);
    if (encoding !== undefined && !encoding.startsWith('utf-') && decodeStrictly(content, encoding) !== undefined) {
      return encoding;
    }
  }
  return undefined;
}

/**
 * Detects UTF-16 without a byte order mark: where the text has Latin letters, spaces or digits, every other byte is
 * often 0.
 */
function wideCharset(sample: Uint8Array): string | undefined {
  const zeros = [0, 0];
  sample.forEach((byte, at) => byte === 0 && zeros[at % 2]!++);
  const [even, odd] = zeros as [number, number];
  const many = sample.length / 8;
  if (odd > many && even < odd / 20) return 'utf-16le';
  return even > many && odd < even / 20 ? 'utf-16be' : undefined;
}
