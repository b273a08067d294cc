import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PageStart } from '../contract/page.contract.js';
import { analyse } from './analysis.js';
import { type Fingerprint, fingerprint } from './fingerprint.js';
import { authorsOf } from './authors.js';
import { frontMatterOf } from './front-matter.js';
import { type Language, languageOf } from './language.js';
import { splitPassages, type TextPassage } from './passages.js';

/**
 * Counts the ways in which passages and terms were ever made. Whoever changes them raises it: what was stored by an earlier one
 * is then made anew.
 */
export const ANALYSIS_VERSION = 2;

export interface AnalysedPassage extends TextPassage {
  /** Of title and text: passages with the same one say the same. */
  digest: string;
  language: Language;
  titleTerms: string[];
  terms: string[];
  /** Further terms that it is found by, see {@link analyse}. */
  extras: string[];
  /** Of `terms`. */
  fingerprint: Fingerprint;
}

/** A document ready to be indexed: cut into passages, with their terms. */
export interface AnalysedDocument {
  path: string;
  passages: AnalysedPassage[];
  /** Of its front matter, in lower case. */
  tags: string[];
  authors: string[];
  mediaType: string;
  /** Of its front matter; undefined where it has none. */
  dateMs: number | undefined;
}

/** How long the event loop may wait for a slice of the work. */
const SLICE_MS = 10;

/** Cuts and analyses a document, letting others have their turn in between. */
export async function analyseDocument(document: {
  path: string;
  title: string;
  text: string;
  mediaType: string;
  pages?: readonly PageStart[] | undefined;
}): Promise<AnalysedDocument> {
  const passages: AnalysedPassage[] = [];
  const documentLanguage = languageOf(document.text);
  const name = wordsOfPath(document.path);
  let started = performance.now();
  for (const passage of splitPassages(document.text, document.mediaType, document.path, document.pages)) {
    const title = fullTitle(document.title, passage.title);
    const language = languageOf(passage.text, documentLanguage);
    const inTitle = analyse(title, language);
    const inText = analyse(passage.text, language);
    passages.push({
      ...passage,
      title,
      digest: createHash('sha256').update(`${title}\0${passage.text}`).digest('base64'),
      language,
      titleTerms: inTitle.terms,
      terms: inText.terms,
      extras: [...inTitle.extras, ...inText.extras, ...name],
      fingerprint: fingerprint(inText.terms),
    });
    if (performance.now() - started > SLICE_MS) {
      await nextTurn();
      started = performance.now();
    }
  }
  const { tags, dateMs } = frontMatterOf(document.text);
  const authors = authorsOf(document.text);
  return { path: document.path, passages, tags, authors, mediaType: document.mediaType, dateMs };
}

/** A document is found by its name and its folders as well. */
function wordsOfPath(path: string): string[] {
  const { terms, extras } = analyse(path.replace(/\.[a-z0-9]{1,8}$/i, ''), 'en');
  return [...new Set([...terms, ...extras, ...analyse(path.slice(path.lastIndexOf('/') + 1), 'en').extras])];
}

/** The document's title and the headings below it; the highest heading often is the title already. */
function fullTitle(document: string, headings: string): string {
  if (headings === document || headings.startsWith(`${document} › `)) return headings;
  return [document, headings].filter((part) => part !== '').join(' › ');
}
