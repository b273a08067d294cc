const ASCII = /^[\x00-\x7f]*$/;
/** Soft hyphens, joiners and other marks without width: they stand within words and are not seen. */
const INVISIBLE = /[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]/g;
/** Points of Hebrew, vowel signs and elongation of Arabic: texts are written with and without them. */
const OPTIONAL_MARKS =
  /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]/g;
/** Letters that compatibility normalisation leaves alone and that speakers type as others. */
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

/** Text as it is taken apart: compatibility forms and what cannot be seen are gone; the case of letters stays. */
export function cleaned(text: string): string {
  return ASCII.test(text) ? text : text.normalize('NFKC').replace(INVISIBLE, '');
}

/** Lower case in composed form, as stemmers expect it. */
export function lowered(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  return word.replace(/İ/g, 'i').toLowerCase().normalize('NFC');
}

/** A lower-case word as people type it who leave out what their keyboard does not have: accents, points, special letters. */
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

/** Arabic and Persian digits begin at a code that ends in 0, those of Devanagari and Bengali at one that ends in 6. */
function digitOf(digit: string): string {
  const code = digit.charCodeAt(0);
  return String((code & 15) - (code < 0x0900 ? 0 : 6));
}
