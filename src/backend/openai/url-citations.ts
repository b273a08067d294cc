import type { ChatSummary } from '../chat/chat-events.js';

const CITATION = /\[(\d{1,3})\]/g;

/** The citations in an answer with their sources; positions are characters of the text. */
export function citationsOf(text: string, { sources }: Pick<ChatSummary, 'sources'>) {
  return [...text.matchAll(CITATION)].flatMap((match) => {
    const source = sources[Number(match[1]) - 1];
    if (source === undefined) return [];
    const { document, title, chunk } = source;
    const url = `caudex:${encodeURI(document)}#${chunk}`;
    return [{ url, title: title || document, start_index: match.index, end_index: match.index + match[0].length }];
  });
}
