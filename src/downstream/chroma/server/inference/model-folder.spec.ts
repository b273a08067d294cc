import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readModelFolder } from './model-folder.js';

describe('readModelFolder', () => {
  let dir: string;
  beforeEach(() => (dir = join(mkdtempSync(join(tmpdir(), 'caudex-model-')), 'some-model')));
  afterEach(() => rmSync(dirname(dir), { recursive: true }));

  function write(files: Record<string, unknown>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
    }
  }

  it('reads a model and its tokenizer, and names the model by the folder', () => {
    write({ 'model.onnx': '12345', 'tokenizer.json': {} });
    expect(readModelFolder(dir)).toEqual({
      name: 'some-model',
      model: join(dir, 'model.onnx'),
      modelBytes: 5,
      tokenizer: join(dir, 'tokenizer.json'),
      maxTokens: 512,
      pooling: undefined,
      prompts: {},
    });
  });

  it('reads the settings of sentence-transformers', () => {
    write({
      'onnx/model.onnx': '1',
      'onnx/model_quantized.onnx': '1',
      'tokenizer.json': {},
      'config.json': { _name_or_path: 'owner/e5-tiny', model_type: 'xlm-roberta', max_position_embeddings: 258 },
      '1_Pooling/config.json': { word_embedding_dimension: 8, pooling_mode_cls_token: true },
      'config_sentence_transformers.json': { prompts: { query: 'q: ', document: 'd: ' } },
    });
    expect(readModelFolder(dir)).toMatchObject({
      name: 'e5-tiny',
      model: join(dir, 'onnx/model_quantized.onnx'),
      maxTokens: 256,
      pooling: 'first',
      prompts: { query: 'q: ', passage: 'd: ' },
    });
  });

  it.each([
    [{ pooling_mode_mean_tokens: true }, 'mean'],
    [{ pooling_mode_max_tokens: true }, 'max'],
  ])('reads the pooling %j', (config, pooling) => {
    write({ 'model.onnx': '1', 'tokenizer.json': {}, '1_Pooling/config.json': config });
    expect(readModelFolder(dir).pooling).toBe(pooling);
  });

  it('truncates texts to the length with which the model was trained', () => {
    write({ 'model.onnx': '1', 'tokenizer.json': {}, 'sentence_bert_config.json': { max_seq_length: 128 } });
    expect(readModelFolder(dir).maxTokens).toBe(128);
  });

  it.each([
    [{}, 'does not exist'],
    [{ 'tokenizer.json': {} }, 'has no model.onnx and no onnx/model.onnx'],
    [{ 'model.onnx': '1' }, 'has no tokenizer.json'],
    [{ 'a.onnx': '1', 'b.onnx': '1', 'tokenizer.json': {} }, 'has several models: a.onnx, b.onnx'],
    [{ 'model.onnx': '1', 'tokenizer.json': {}, 'config.json': '{' }, 'config.json cannot be read'],
    [{ 'model.onnx': '1', 'tokenizer.json': {}, 'config.json': { max_position_embeddings: 'many' } }, 'cannot be read'],
  ])('says of %j that it %s', (files, said) => {
    write(files);
    expect(() => readModelFolder(dir)).toThrow(said);
  });
});
