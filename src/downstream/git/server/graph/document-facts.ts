import { posix } from 'node:path';
import { tellingTerms } from '../../../../text/analysis.js';
import { documentLinks, headings } from './markdown-marks.js';

/** What the graph stores about one document's text. */
export interface DocumentFacts {
  headings: string[];
  /** The paths of documents that it links to, whether they exist or not. */
  links: string[];
  /** Document names in wiki links, such as `Plan` in `[[Plan]]`. */
  names: string[];
  /** Its most significant terms, stemmed. */
  terms: string[];
}

const MAX_HEADINGS = 200;
const MAX_LINKS = 500;
const MAX_TERMS = 24;
/** How much of a text is read: the beginning usually shows what a document is about. */
const MAX_CHARS = 1_000_000;
const MAX_TERM_CHARS = 200_000;
/** Analysed in one turn of the event loop. */
const SLICE_CHARS = 20_000;

/**
 * Reads Markdown headings, `[text](path)` and `[[name]]` links, and the terms used most, in time linear in the text, and in
 * slices between which other requests are answered.
 */
export async function documentFacts(path: string, text: string): Promise<DocumentFacts> {
  const read = text.slice(0, MAX_CHARS);
  const { inline, wiki } = documentLinks(read);
  await new Promise(setImmediate);
  const links = inline.map((target) => resolve(path, target));
  const names = wiki.map((target) => (target.split('#')[0] ?? '').trim()).filter((name) => name !== '');
  return {
    headings: unique(headings(read)).slice(0, MAX_HEADINGS),
    links: unique(links.filter((link) => link !== undefined && link !== path) as string[]).slice(0, MAX_LINKS),
    names: unique(names).slice(0, MAX_LINKS),
    terms: await frequentTerms(read),
  };
}

/** The path that a link points to within the project; undefined where it points outside. */
function resolve(from: string, target: string): string | undefined {
  const plain = target.split('#')[0]?.split('?')[0] ?? '';
  if (plain === '' || /^[a-z][a-z0-9+.-]*:/i.test(plain)) return undefined;
  let decoded: string;
  try {
    decoded = decodeURIComponent(plain);
  } catch {
    decoded = plain;
  }
  const path = decoded.startsWith('/') ? decoded.slice(1) : posix.join(posix.dirname(from), decoded);
  const normal = posix.normalize(path);
  return normal.startsWith('..') || normal === '.' ? undefined : normal;
}

async function frequentTerms(text: string): Promise<string[]> {
  const counts = new Map<string, number>();
  const end = Math.min(text.length, MAX_TERM_CHARS);
  for (let at = 0; at < end; at += SLICE_CHARS) {
    await new Promise(setImmediate);
    // A word that is cut here is counted wrongly once, which the choice of the most frequent terms tolerates.
    const terms = tellingTerms(text.slice(at, Math.min(end, at + SLICE_CHARS)));
    for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return [...counts]
    .filter(([term, count]) => count >= 2 && term.length >= 3 && !/^\d+$/.test(term))
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MAX_TERMS)
    .map(([term]) => term);
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];
