import type { Passage } from '../../contract/passage.contract.js';
import type { Retrieved } from '../search/retrieval.service.js';

const QUOTED_PASSAGES = 3;
/** The share of the best passage's score that a passage needs to be quoted. */
const WORTH_QUOTING = 0.5;
const QUOTED_SENTENCES = 2;
const MAX_QUOTE_CHARS = 600;

/** The first sentence of an answer without passages; null where there are some. */
export function preface(outcome: Retrieved['outcome'] | 'no_project'): string | null {
  switch (outcome) {
    case 'found':
    case 'no_project':
      return null;
    case 'no_match':
      return 'I found nothing about this in your documents.';
    case 'empty_project':
      return 'This project is empty: it has no documents to answer from yet.';
    case 'unavailable':
      return 'Search is away at the moment, so I could not look into your documents. Your question is kept; please ask again in a little while.';
  }
}

/**
 * Why no model wrote an answer. A repetition of the question helps after `no_answer`, and after the rest that all models
 * asked for (429), in seconds: a misconfigured model stays so until an operator corrects it, and the others are refusals of
 * this question.
 */
export type WithoutModel =
  'no_model' | 'no_answer' | 'misconfigured' | 'filtered' | 'too_long' | { kind: 'resting'; seconds: number };

const REASONS: Record<Extract<WithoutModel, string>, string> = {
  no_model: 'No language model is configured',
  no_answer: 'The language model gave no answer',
  misconfigured: 'The language model refuses to work for this server, and an operator has to correct that',
  filtered: 'The content filter of the language model refused this question or its answer',
  too_long: 'The question with its passages and its conversation is too long for the language model',
};

function reasonFor(why: WithoutModel): string {
  if (typeof why === 'string') return REASONS[why];
  const { seconds } = why;
  const time = seconds < 120 ? `${seconds} second${seconds === 1 ? '' : 's'}` : `${Math.ceil(seconds / 60)} minutes`;
  return `The language model has reached its limit of requests and can be asked again in ${time}`;
}

/** An answer without a model: the sentences that match best, verbatim, each with the number of its source. */
export function extractiveAnswer(passages: readonly Passage[], why: WithoutModel): string {
  const quotes = answering(passages).map(({ passage, index }) => {
    const place = passage.page === undefined ? passage.document : `${passage.document}, page ${passage.page}`;
    const where = passage.title === '' ? place : `${passage.title} (${place})`;
    return `> ${quote(passage)} [${index + 1}]\n\n— ${where}`;
  });
  return [`${reasonFor(why)}; this is a quotation from your documents, word for word:`, ...quotes].join('\n\n');
}

/**
 * The passages worth quoting: those that share words with the question and whose score is not far below the best. Where
 * none shares a word, the best is related in meaning only and is quoted alone.
 */
function answering(passages: readonly Passage[]): { passage: Passage; index: number }[] {
  const numbered = passages.map((passage, index) => ({ passage, index }));
  const best = Math.max(...passages.map(({ score }) => score));
  const worth = numbered.filter(
    ({ passage }) => passage.highlights.length > 0 && passage.score >= WORTH_QUOTING * best,
  );
  return (worth.length > 0 ? worth : numbered.slice(0, 1)).slice(0, QUOTED_PASSAGES);
}

/** The answer where there are neither passages nor a model. */
export function emptyAnswer(why: WithoutModel): string {
  if (why === 'no_model') {
    return 'No project was named, so there are no documents to quote from, and no language model is configured. Name a project, or set LLM_BASE_URL.';
  }
  const again = why === 'no_answer' ? '; please ask again in a little while.' : '.';
  return `${reasonFor(why)}. No project was named whose documents could be quoted. Your question is kept${again}`;
}

function quote({ highlights, text }: Passage): string {
  const sentences = highlights.length > 0 ? highlights.slice(0, QUOTED_SENTENCES).join(' … ') : text;
  const line = sentences.replace(/\s+/g, ' ').trim();
  return line.length <= MAX_QUOTE_CHARS ? line : `${line.slice(0, MAX_QUOTE_CHARS).replace(/\s\S*$/, '')} …`;
}
