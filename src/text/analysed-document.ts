import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { terms } from './analysis.js';
import { type Fingerprint, fingerprint } from './fingerprint.js';
import { splitPassages, type TextPassage } from './passages.js';

export interface AnalysedPassage extends TextPassage {
  /** Of title and text: passages with the same one say the same. */
  digest: string;
  titleTerms: string[];
  terms: string[];
  /** Of `terms`. */
  fingerprint: Fingerprint;
}

/** A document ready to be indexed: cut into passages, with their terms. */
export interface AnalysedDocument {
  path: string;
  passages: AnalysedPassage[];
}

/** How long the event loop may wait for a slice of the work. */
const SLICE_MS = 10;

/** Cuts and analyses a document, letting others have their turn in between. */
export async function analyseDocument(document: {
  path: string;
  title: string;
  text: string;
  mediaType: string;
}): Promise<AnalysedDocument> {
  const passages: AnalysedPassage[] = [];
  let started = performance.now();
  for (const passage of splitPassages(document.text, document.mediaType)) {
    const title = fullTitle(document.title, passage.title);
    const found = terms(passage.text);
    passages.push({
      ...passage,
      title,
      digest: createHash('sha256').update(`${title}\0${passage.text}`).digest('base64'),
      titleTerms: terms(title),
      terms: found,
      fingerprint: fingerprint(found),
    });
    if (performance.now() - started > SLICE_MS) {
      await nextTurn();
      started = performance.now();
    }
  }
  return { path: document.path, passages };
}

/** The document's title and the headings below it; the highest heading often is the title already. */
function fullTitle(document: string, headings: string): string {
  if (headings === document || headings.startsWith(`${document} › `)) return headings;
  return [document, headings].filter((part) => part !== '').join(' › ');
}
