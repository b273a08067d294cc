import type { Pooling } from '../inference/model-folder.js';

/** The prefixes with which a model distinguishes a question from a passage. */
export interface Prefixes {
  query: string;
  passage: string;
}

interface Family extends Prefixes {
  pooling?: Pooling;
}

const NONE: Family = { query: '', passage: '' };

/**
 * From the cards of the models; the first entry that matches a model's name applies. The default pooling is the mean.
 */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  // Instruction models: passages are embedded without a prefix.
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

/** The prefixes of a model's family, found by its name; none for an unknown family. */
export function prefixesOf(model: string): Prefixes {
  const { query, passage } = familyOf(model);
  return { query, passage };
}

/** The pooling of a model's family, for a model folder that does not state it. */
export function poolingOf(model: string): Pooling {
  return familyOf(model).pooling ?? 'mean';
}

function familyOf(model: string): Family {
  return FAMILIES.find(([name]) => name.test(model.replaceAll('_', '-')))?.[1] ?? NONE;
}
