/** What a model wants to read before a text, so that it knows a question from a passage. */
export interface Prefixes {
  query: string;
  passage: string;
}

const NONE: Prefixes = { query: '', passage: '' };

/** By the cards of the models; the first that fits a model's name counts. */
const FAMILIES: readonly (readonly [RegExp, Prefixes])[] = [
  // They take instructions: passages are embedded as they are.
  [
    /\be5\b.*\binstruct\b/i,
    {
      query: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ',
      passage: '',
    },
  ],
  [/\be5\b/i, { query: 'query: ', passage: 'passage: ' }],
  [/\bbge-m3\b/i, NONE],
  [/\bbge\b.*\bzh\b/i, { query: '为这个句子生成表示以用于检索相关文章：', passage: '' }],
  [/\bbge\b/i, { query: 'Represent this sentence for searching relevant passages: ', passage: '' }],
  [/\bnomic-embed\b/i, { query: 'search_query: ', passage: 'search_document: ' }],
];

/** The prefixes of a model's family, as its name tells; none where it is of none of these. */
export function prefixesOf(model: string): Prefixes {
  return FAMILIES.find(([name]) => name.test(model.replaceAll('_', '-')))?.[1] ?? NONE;
}
