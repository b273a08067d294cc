import { folded, lowered } from './folding.js';
import type { Language } from './language.js';
import { STEMMERS } from './stemmers.js';
import { STOP_WORDS } from './stop-words.js';

/**
 * The terms under which a word is indexed and searched, the usual one first: its stem by the rules of its language,
 * folded. The others stand for other spellings of the same word: without accents, with ae for ä, with or without an
 * article or preposition that the script joins to it.
 */
export function formsOf(word: string, language: Language): readonly string[] {
  return [...new Set(allForms(lowered(word), language))].filter((form) => form !== '');
}

const ASCII = /^[\x00-\x7f]*$/;
const UMLAUT = /[äöüåø]/;
const SPELLED_OUT: Record<string, string> = { ä: 'ae', ö: 'oe', ü: 'ue', å: 'aa', ø: 'oe' };

function allForms(word: string, language: Language): string[] {
  const bare = folded(word);
  if (STOP_WORDS.has(bare) || /\d/.test(bare)) return [bare];
  if (HEBREW.test(word)) return hebrewForms(bare);
  if (ARABIC.test(word)) return arabicForms(bare, language);
  const stem = stemmerOf(word, language);
  const forms = [folded(stem(word))];
  if (ASCII.test(word)) return forms;
  if (UMLAUT.test(word)) forms.push(stem(folded(word.replace(/[äöüåø]/g, (letter) => SPELLED_OUT[letter] as string))));
  return [...forms, stem(bare)];
}

const LATIN = /\p{Script=Latin}/u;
/** Languages in other scripts: Latin words in their texts are mostly English. */
const NOT_LATIN = new Set(
  `am ar be bg bn el fa gu he hi hy ja ka km kn ko lo mk ml mn mr my ne or pa ru si sr ta te th uk ur zh`.split(' '),
);
const CYRILLIC = /\p{Script=Cyrillic}/u;
const USE_CYRILLIC = new Set(['bg', 'ru', 'sr', 'uk']);
const OTHER_SCRIPTS: [RegExp, Language][] = [
  [/\p{Script=Greek}/u, 'el'],
  [/\p{Script=Devanagari}/u, 'hi'],
  [/\p{Script=Armenian}/u, 'hy'],
  [/\p{Script=Tamil}/u, 'ta'],
];
const MIN_STEMMED_CHARS = 3;

/**
 * The stemmer of the language. For a word in another script: that of the language most often written in that script.
 */
function stemmerOf(word: string, language: Language): (word: string) => string {
  if (word.length < MIN_STEMMED_CHARS) return same;
  if (LATIN.test(word)) return STEMMERS.get(NOT_LATIN.has(language) ? 'en' : language) ?? same;
  if (CYRILLIC.test(word)) return STEMMERS.get(USE_CYRILLIC.has(language) ? language : 'ru') ?? same;
  return STEMMERS.get(OTHER_SCRIPTS.find(([script]) => script.test(word))?.[1] ?? '') ?? same;
}

const same = (word: string) => word;

const HEBREW = /\p{Script=Hebrew}/u;

/**
 * Hebrew writes "and", "the", "in", "as", "to", "from" and "that" as single letters joined to the word; the plural is
 * an ending.
 */
function hebrewForms(word: string): string[] {
  const forms = [word];
  if (word.length >= 4 && /^[והבכלמש]/.test(word)) forms.push(word.slice(1));
  if (word.length >= 5 && /^[ושבכלמ][הבכלמש]/.test(word)) forms.push(word.slice(2));
  return forms.flatMap((form) => (form.length >= 5 ? [form, form.replace(/(?:ימ|ות)$/, '')] : [form]));
}

const ARABIC = /\p{Script=Arabic}/u;
/** Languages other than Arabic that use Arabic letters. */
const USE_ARABIC_LETTERS = new Set(['fa', 'ur', 'ku', 'ps', 'ug', 'sd']);

function arabicForms(word: string, language: Language): string[] {
  // The Persian plural; its joiner is already removed.
  const singular = word.replace(/(?<=..)(?:هاي|ها)$/, '');
  if (USE_ARABIC_LETTERS.has(language)) return [word, singular];
  const withoutArticle = word.replace(/^(?:[وفبك]?ال|لل)(?=...)/, '');
  return [folded((STEMMERS.get('ar') ?? same)(withoutArticle)), withoutArticle, word, singular];
}
