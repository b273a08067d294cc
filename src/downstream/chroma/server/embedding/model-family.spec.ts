import { prefixesOf } from './model-family.js';

describe('prefixesOf', () => {
  it.each([
    ['intfloat/multilingual-e5-small', 'query: ', 'passage: '],
    ['e5-base-v2', 'query: ', 'passage: '],
    ['BAAI/bge-small-en-v1.5', 'Represent this sentence for searching relevant passages: ', ''],
    ['bge_base_zh', '为这个句子生成表示以用于检索相关文章：', ''],
    ['bge-m3', '', ''],
    ['nomic-embed-text', 'search_query: ', 'search_document: '],
    ['text-embedding-3-small', '', ''],
    ['all-MiniLM-L6-v2', '', ''],
  ])('%s', (model, query, passage) => {
    expect(prefixesOf(model)).toEqual({ query, passage });
  });

  it('gives the instruction of an instruction model to questions only', () => {
    const { query, passage } = prefixesOf('multilingual-e5-large-instruct');
    expect(query).toMatch(/^Instruct: .*\nQuery: $/);
    expect(passage).toBe('');
  });
});
