import type { Pooling } from '../inference/model-folder.js';

/** What a model wants to read before a text, so that it knows a question from a passage. */
export interface Prefixes {
  query: string;
  passage: string;
}

interface Family extends Prefixes {
  pooling?: Pooling;
}

const NONE: Family = { query: '', passage: '' };

/** By the cards of the models; the first that fits a model's name counts. Where no pooling is named it is the mean. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  // They take instructions: passages are embedded as they are.
  [
    /\be5\b.*\binstruct\b/i,
    {
      query: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ',
      passage: '',
    },
  ],
  [/\be5\b/i, { query: 'query: ', passage: 'passage: ' }],
  [/\bbge-m3\b/i, { ...NONE, pooling: 'first' }],
  [/\bbge\b.*\bzh\b/i, { query: '为这个句子生成表示以用于检索相关文章：', passage: '', pooling: 'first' }],
  [/\bbge\b/i, { query: 'Represent this sentence for searching relevant passages: ', passage: '', pooling: 'first' }],
  [/\bnomic-embed\b/i, { query: 'search_query: ', passage: 'search_document: ' }],
  [/\bgte\b.*\b(?:v1\.5|modernbert|multilingual)\b/i, { ...NONE, pooling: 'first' }],
  [
    /\b(?:snowflake-arctic|mxbai)-embed\b(?!.*\bv2)/i,
    { query: 'Represent this sentence for searching relevant passages: ', passage: '', pooling: 'first' },
  ],
];

/** The prefixes of a model's family, as its name tells; none where it is of none of these. */
export function prefixesOf(model: string): Prefixes {
  const { query, passage } = familyOf(model);
  return { query, passage };
}

/** How models of the same family pool, where a model's folder does not say. */
export function poolingOf(model: string): Pooling {
  return familyOf(model).pooling ?? 'mean';
}

function familyOf(model: string): Family {
  return FAMILIES.find(([name]) => name.test(model.replaceAll('_', '-')))?.[1] ?? NONE;
}
