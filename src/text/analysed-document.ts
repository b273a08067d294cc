import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PageStart } from '../contract/page.contract.js';
import { analyse } from './analysis.js';
import { type Fingerprint, fingerprint } from './fingerprint.js';
import { authorsOf } from './authors.js';
import { frontMatterOf } from './front-matter.js';
import { type Language, languageOf } from './language.js';
import { passagesOf, type TextPassage } from './passages.js';

/**
 * The version of the way in which passages and terms are made. Raise it with every change of them: documents that an
 * earlier version stored are then analysed again.
 */
export const ANALYSIS_VERSION = 3;

export interface AnalysedPassage extends TextPassage {
  /** A digest of title and text: passages with equal digests have equal content. */
  digest: string;
  language: Language;
  titleTerms: string[];
  terms: string[];
  /** Further terms that the passage is found by, see {@link analyse}. */
  extras: string[];
  /** The fingerprint of `terms`. */
  fingerprint: Fingerprint;
}

/** A document ready to be indexed: cut into passages, with their terms. */
export interface AnalysedDocument {
  path: string;
  passages: AnalysedPassage[];
  /** The tags in the front matter, in lower case. */
  tags: string[];
  authors: string[];
  mediaType: string;
  /** The date in the front matter; undefined where there is none. */
  dateMs: number | undefined;
}

/** The longest time for which a slice of the work blocks the event loop. */
const SLICE_MS = 10;

/** Cuts and analyses a document in slices, so that the event loop is not blocked. */
export async function analyseDocument(document: {
  path: string;
  title: string;
  text: string;
  mediaType: string;
  pages?: readonly PageStart[] | undefined;
}): Promise<AnalysedDocument> {
  const passages: AnalysedPassage[] = [];
  let known: Language | undefined;
  // Most passages show their language themselves.
  const documentLanguage = () => (known ??= languageOf(document.text));
  const name = wordsOfPath(document.path);
  let started = performance.now();
  const analysed = (passage: TextPassage): AnalysedPassage => {
    const title = fullTitle(document.title, passage.title);
    const language = languageOf(passage.text, documentLanguage);
    const inTitle = analyse(title, language);
    const inText = analyse(passage.text, language);
    return {
      ...passage,
      title,
      digest: createHash('sha256').update(`${title}\0${passage.text}`).digest('base64'),
      language,
      titleTerms: inTitle.terms,
      terms: inText.terms,
      extras: [...inTitle.extras, ...inText.extras, ...name],
      fingerprint: fingerprint(inText.terms),
    };
  };
  for (const passage of passagesOf(document.text, document.mediaType, document.path, document.pages)) {
    if (passage !== undefined) passages.push(analysed(passage));
    if (performance.now() - started > SLICE_MS) {
      await nextTurn();
      started = performance.now();
    }
  }
  const { tags, dateMs } = frontMatterOf(document.text);
  const authors = authorsOf(document.text);
  return { path: document.path, passages, tags, authors, mediaType: document.mediaType, dateMs };
}

/** The words of the document's name and folders, which also find it. */
function wordsOfPath(path: string): string[] {
  const { terms, extras } = analyse(path.replace(/\.[a-z0-9]{1,8}$/i, ''), 'en');
  return [...new Set([...terms, ...extras, ...analyse(path.slice(path.lastIndexOf('/') + 1), 'en').extras])];
}

/** The document's title and the headings below it. The title is left out where it repeats the highest heading. */
function fullTitle(document: string, headings: string): string {
  if (headings === document || headings.startsWith(`${document} › `)) return headings;
  return [document, headings].filter((part) => part !== '').join(' › ');
}
