import { decodeCompletion, type LlmEvent } from './llm.client.js';

async function decode(...parts: string[]): Promise<LlmEvent[]> {
  const bytes = async function* () {
    for (const part of parts) yield Buffer.from(part, 'latin1');
  };
  const events: LlmEvent[] = [];
  for await (const event of decodeCompletion(bytes())) events.push(event);
  return events;
}
const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const data = (value: unknown) => utf8(`data: ${JSON.stringify(value)}\n\n`);
const token = (content: string) => data({ choices: [{ delta: { content } }] });

describe('decodeCompletion', () => {
  it('reads tokens and usage, wherever the bytes are cut', async () => {
    const stream =
      token('größe') + data({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) + 'data: [DONE]\n\n';
    const bytewise = await decode(...stream);
    expect(bytewise).toEqual([
      { type: 'text', text: 'größe' },
      { type: 'usage', promptTokens: 3, completionTokens: 2 },
    ]);
  });

  it('ends with a finish reason where the endpoint sends no [DONE]', async () => {
    expect(await decode(token('a'), data({ choices: [{ delta: {}, finish_reason: 'stop' }] }))).toEqual([
      { type: 'text', text: 'a' },
    ]);
  });

  it('reads the last event without its empty line', async () => {
    expect(await decode(token('a'), 'data: [DONE]')).toEqual([{ type: 'text', text: 'a' }]);
    const last = JSON.stringify({ choices: [{ delta: { content: 'b' }, finish_reason: 'stop' }] });
    expect(await decode(token('a'), `data: ${last}\n`)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
  });

  it.each([
    ['with its usage', { usage: { prompt_tokens: 3, completion_tokens: 2 } }],
    ['without', {}],
  ])('reads a whole completion, %s', async (_what, more) => {
    const message = { role: 'assistant', content: 'größe' };
    const document = { object: 'chat.completion', choices: [{ message, finish_reason: 'stop' }], ...more };
    expect(await decode('\n ', ...utf8(JSON.stringify(document, null, 2)))).toEqual([
      { type: 'text', text: 'größe' },
      ...('usage' in more ? [{ type: 'usage', promptTokens: 3, completionTokens: 2 }] : []),
    ]);
  });

  it.each([
    [{ prompt_tokens: 3 }],
    [{ prompt_tokens: 3, completion_tokens: null }],
    [{ prompt_tokens: -1, completion_tokens: 2 }],
    ['none'],
  ])('leaves out a usage of %j', async (usage) => {
    const last = data({ choices: [{ delta: { content: 'b' } }], usage });
    expect(await decode(token('a'), last, 'data: [DONE]\n\n')).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
  });

  it('keeps white space for the text behind it', async () => {
    expect(await decode(token('\n'), token(' a'), token(' '), token('b'), token('\n'), 'data: [DONE]\n\n')).toEqual([
      { type: 'text', text: '\n a' },
      { type: 'text', text: ' b' },
    ]);
  });

  it('says a message once that comes bit by bit and then as a whole', async () => {
    const last = data({ choices: [{ message: { content: 'ab' }, finish_reason: 'stop' }] });
    expect(await decode(token('a'), token('b'), last)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]);
  });

  it.each([
    ['document', '{"choices": ['],
    ['event', 'data: {"choices": ['],
  ])('reads no %s of any length', async (_what, head) => {
    let sent = 0;
    const long = async function* () {
      yield Buffer.from(head);
      for (const megabyte = Buffer.alloc(2 ** 20, ' '); sent < 50; sent++) yield megabyte;
    };
    await expect(decodeCompletion(long()).next()).rejects.toThrow();
    expect(sent).toBeLessThan(10);
  });

  it.each([
    ['ends before its end', [token('a')]],
    ['is no JSON', ['data: {"choices\n\n']],
    ['has another shape', [data({ choices: 'none' })]],
    ['tells of an error', [token('a'), data({ error: { message: 'overloaded' } })]],
    ['is JSON, but no completion', ['{"choices": []}']],
    ['is JSON that tells of an error', [JSON.stringify({ error: { message: 'overloaded' } })]],
    ['is JSON and cut off', ['{"choices": [{"message": {"content": "a"}}]']],
    ['is a web page', ['<html>hello</html>']],
  ])('throws when the answer %s', async (_what, parts) => {
    await expect(decode(...parts)).rejects.toThrow();
  });
});
