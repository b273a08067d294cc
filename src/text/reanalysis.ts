import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnalysedDocument, analyseDocument } from './analysed-document.js';
import type { LexicalIndex, ProjectKey } from './lexical-index.js';
import { mediaTypeOf } from './media-type.js';
import { titleOf } from './title.js';

/**
 * Analyses stored documents again that an earlier version of the analysis wrote, from their stored texts: after an
 * update, queries must not use other terms than the index. It works document by document, so that a kill loses only the
 * work on the current one.
 *
 * @param keep writes the document if `isCurrent` confirms that no other write has replaced it meanwhile
 */
export async function reanalyse(
  index: LexicalIndex,
  keep: (key: ProjectKey, document: AnalysedDocument, isCurrent: () => boolean) => Promise<void>,
): Promise<number> {
  const documents = index.outdated();
  for (const { key, path } of documents) {
    const stored = index.outdatedText(key, path);
    if (stored === undefined) continue;
    const { text, pages } = stored;
    const mediaType = mediaTypeOf(path);
    const document = await analyseDocument({ path, title: titleOf(path, text, mediaType), text, mediaType, pages });
    await keep(key, document, () => index.outdatedText(key, path)?.text === text);
    await nextTurn();
  }
  return documents.length;
}
