import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnalysedDocument, analyseDocument } from './analysed-document.js';
import type { LexicalIndex, ProjectKey } from './lexical-index.js';
import { mediaTypeOf } from './media-type.js';
import { titleOf } from './title.js';

/**
 * Makes anew what an earlier version of the analysis stored, from the texts that are stored: after an update the program must not
 * look for other terms than its index has. It goes document by document, so that a kill costs nothing but the current one.
 *
 * @param keep writes the document, if `isCurrent` says that it was not written by somebody else in the meantime
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
