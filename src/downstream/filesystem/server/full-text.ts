import { highlights } from '../../../text/highlights.js';
import { type LexicalIndex, type ProjectKey } from '../../../text/lexical-index.js';
import { rankByWords } from '../../../text/lexical-search.js';
import { parseQuery } from '../../../text/query.js';
import type { Passage } from '../../passage.contract.js';

/** Search by words over the passages of a project. */
export class FullText {
  constructor(private readonly index: LexicalIndex) {}

  async search(
    key: ProjectKey,
    text: string,
    limit: number,
    offset: number,
  ): Promise<{ results: Passage[]; total: number }> {
    const query = parseQuery(text);
    const { ranked, total } = await rankByWords(this.index, key, query, offset + limit);
    const image = await this.index.image(key);
    const scores = new Map(ranked.slice(offset).map(({ id, score }) => [id, score]));
    const results = this.index.passages(key, [...scores.keys()]).map(({ id, ...passage }) => ({
      ...passage,
      highlights: highlights(passage.text, query.terms, (term) => image.idf(term)),
      score: scores.get(id) as number,
    }));
    return { results, total };
  }
}
