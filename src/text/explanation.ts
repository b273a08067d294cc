import type { Correction, Explanation } from '../contract/passage.contract.js';
import { termsOf } from './analysis.js';
import type { Concept, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey, StoredPassage } from './lexical-index.js';
import { wordsOf } from './words.js';

/** The rankings that were combined into one, each best first. */
export interface Lists {
  words: readonly Ranked[];
  meaning: readonly Near[];
}

export interface Near extends Ranked {
  /** Cosine similarity, before any other signal is added. */
  similarity: number;
}

/** The reasons why each of these passages was found, in their order. */
export function explanations(
  index: LexicalIndex,
  key: ProjectKey,
  passages: readonly StoredPassage[],
  concepts: readonly Concept[],
  corrections: readonly Correction[],
  lists: Lists,
): Explanation[] {
  const words = placesIn(lists.words);
  const meaning = placesIn(lists.meaning);
  const corrected = new Map(corrections.map(({ from, to }) => [from, to]));
  const sequences = index.sequences(
    key,
    passages.map(({ id }) => id),
  );
  return passages.map(({ id }, i) => {
    const { titleTerms = [], terms = [], extras = [] } = sequences[i] ?? {};
    const held = new Set([...titleTerms, ...terms, ...extras]);
    const byWords = words.get(id);
    const byMeaning = meaning.get(id);
    return {
      lists: [
        ...(byWords ? [{ list: 'words' as const, place: byWords.place, score: byWords.entry.score }] : []),
        ...(byMeaning ? [{ list: 'meaning' as const, place: byMeaning.place, score: byMeaning.entry.score }] : []),
      ],
      words: [...new Set(concepts.flatMap((concept) => matched(concept, held, corrected)))],
      meaning: byMeaning?.entry.similarity ?? null,
    };
  });
}

function placesIn<T extends Ranked>(list: readonly T[]): Map<number, { place: number; entry: T }> {
  return new Map(list.map((entry, i) => [entry.id, { place: i + 1, entry }]));
}

/** How a passage with these terms matches a concept: the typed words, else the terms themselves. */
function matched(
  { terms, words }: Concept,
  held: ReadonlySet<string>,
  corrected: ReadonlyMap<string, string>,
): readonly string[] {
  const found = terms.filter((term) => held.has(term));
  if (found.length === 0) return [];
  return words === undefined ? found : words.map((word) => corrected.get(word) ?? word);
}

/** The words that were corrected, each with its replacement in the spelling of the best passage. */
export function correctionsOf(concepts: readonly Concept[], passages: readonly StoredPassage[]): Correction[] {
  const corrections = new Map<string, string>();
  for (const { terms, words = [] } of concepts.filter(({ isGuess }) => isGuess)) {
    const to = writtenIn(passages, new Set(terms)) ?? terms[0];
    for (const from of words) if (to !== undefined && !corrections.has(from)) corrections.set(from, to);
  }
  return [...corrections].map(([from, to]) => ({ from, to }));
}

/** The first word in these passages that one of the terms was made from, in lower case. */
function writtenIn(passages: readonly StoredPassage[], terms: ReadonlySet<string>): string | undefined {
  for (const { title, text, language } of passages) {
    const word = wordsOf(`${title}\n${text}`).find((said) => termsOf(said, language).some((term) => terms.has(term)));
    if (word !== undefined) return word.text.toLowerCase();
  }
  return undefined;
}
