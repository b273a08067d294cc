const ASCII = /^[\x00-\x7f]*$/;
/** Soft hyphens, joiners and other marks without width, which are invisible within words. */
const INVISIBLE = /[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]/g;
/** Hebrew points, Arabic vowel signs and elongation, which texts may leave out. */
const OPTIONAL_MARKS =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]/g;
/** Letters that compatibility normalisation keeps and that people type as other letters. */
const LETTERS: Record<string, string> = {
  ...{
    ß: 'ss',
    ø: 'o',
    ł: 'l',
    œ: 'oe',
    æ: 'ae',
    ı: 'i',
    đ: 'd',
    ð: 'd',
    þ: 'th',
    ħ: 'h',
    ŧ: 't',
    ŋ: 'n',
    ĸ: 'k',
    ς: 'σ',
  },
  ...{ ё: 'е', ґ: 'г', ў: 'у' },
  ...{ أ: 'ا', إ: 'ا', آ: 'ا', ٱ: 'ا', ى: 'ي', ی: 'ي', ې: 'ي', ک: 'ك', ة: 'ه', ۀ: 'ه', ە: 'ه', ؤ: 'و' },
  ...{ ך: 'כ', ם: 'מ', ן: 'נ', ף: 'פ', ץ: 'צ' },
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');
const LATIN_OR_GREEK = /\p{Script=Latin}|\p{Script=Greek}/u;
const FOREIGN_DIGIT = /[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]/g;

/** Text with compatibility forms replaced and invisible characters removed. The case of letters stays. */
export function cleaned(text: string): string {
  return ASCII.test(text) ? text : text.normalize('NFKC').replace(INVISIBLE, '');
}

/** Lower case in composed form, as stemmers expect it. */
export function lowered(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  return word.replace(/İ/g, 'i').toLowerCase().normalize('NFC');
}

/** A lower-case word as typed on a keyboard without accents, points and special letters. */
export function folded(word: string): string {
  if (ASCII.test(word)) return word;
  const bare = LATIN_OR_GREEK.test(word)
    ? word
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .normalize('NFC')
    : word.replace(OPTIONAL_MARKS, '');
  return bare.replace(LETTER, (letter) => LETTERS[letter] as string).replace(FOREIGN_DIGIT, digitOf);
}

/**
 * The ASCII digit. Arabic and Persian digits begin at a code that ends in 0, those of Devanagari and Bengali at one
 * that ends in 6.
 */
function digitOf(digit: string): string {
  const code = digit.charCodeAt(0);
  return String((code & 15) - (code < 0x0900 ? 0 : 6));
}
