import type { Correction, Explanation } from '../contract/passage.contract.js';
import { termsOf } from './analysis.js';
import type { Concept, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey, StoredPassage } from './lexical-index.js';
import { wordsOf } from './words.js';

/** What a ranking was made of, each list best first. */
export interface Lists {
  words: readonly Ranked[];
  meaning: readonly Near[];
}

export interface Near extends Ranked {
  /** Cosine, before anything else is taken into account. */
  similarity: number;
}

/** Why each of these passages was found, in their order. */
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

/** What a passage with these terms holds of a concept: the words that were typed, else the terms themselves. */
function matched(
  { terms, words }: Concept,
  held: ReadonlySet<string>,
  corrected: ReadonlyMap<string, string>,
): readonly string[] {
  const found = terms.filter((term) => held.has(term));
  if (found.length === 0) return [];
  return words === undefined ? found : words.map((word) => corrected.get(word) ?? word);
}

/** The words that were guessed at, each with the word that took its place as the best passage writes it. */
export function correctionsOf(concepts: readonly Concept[], passages: readonly StoredPassage[]): Correction[] {
  const corrections = new Map<string, string>();
  for (const { terms, words = [] } of concepts.filter(({ isGuess }) => isGuess)) {
    const to = writtenIn(passages, new Set(terms)) ?? terms[0];
    for (const from of words) if (to !== undefined && !corrections.has(from)) corrections.set(from, to);
  }
  return [...corrections].map(([from, to]) => ({ from, to }));
}

/** The first word of these passages that one of the terms stands for, in lower case. */
function writtenIn(passages: readonly StoredPassage[], terms: ReadonlySet<string>): string | undefined {
  for (const { title, text, language } of passages) {
    const word = wordsOf(`${title}\n${text}`).find((said) => termsOf(said, language).some((term) => terms.has(term)));
    if (word !== undefined) return word.text.toLowerCase();
  }
  return undefined;
}
