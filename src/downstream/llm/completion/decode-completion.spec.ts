import type { CompletionEvent } from './completion-event.js';
import { decodeCompletion } from './decode-completion.js';

async function decode(...parts: string[]): Promise<CompletionEvent[]> {
  const bytes = async function* () {
    for (const part of parts) yield Buffer.from(part, 'latin1');
  };
  const events: CompletionEvent[] = [];
  for await (const event of decodeCompletion(bytes())) if (event.type !== 'progress') events.push(event);
  return events;
}
const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const data = (value: unknown) => utf8(`data: ${JSON.stringify(value)}\n\n`);
const STOP = { type: 'finish', reason: 'stop' };
const DONE = 'data: [DONE]\n\n';
const finish = (reason: string, delta: object = {}) => data({ choices: [{ index: 0, delta, finish_reason: reason }] });
const token = (content: string) => data({ choices: [{ delta: { content } }] });

describe('decodeCompletion', () => {
  it('reads tokens and usage, wherever the bytes are split', async () => {
    const stream =
      token('größe') + data({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) + 'data: [DONE]\n\n';
    const bytewise = await decode(...stream);
    expect(bytewise).toEqual([
      { type: 'text', text: 'größe' },
      { type: 'usage', promptTokens: 3, completionTokens: 2 },
      STOP,
    ]);
  });

  it('ends with a finish reason where the endpoint sends no [DONE]', async () => {
    expect(await decode(token('a'), data({ choices: [{ delta: {}, finish_reason: 'stop' }] }))).toEqual([
      { type: 'text', text: 'a' },
      STOP,
    ]);
  });

  it('reads the last event without its empty line', async () => {
    expect(await decode(token('a'), 'data: [DONE]')).toEqual([{ type: 'text', text: 'a' }, STOP]);
    const last = JSON.stringify({ choices: [{ delta: { content: 'b' }, finish_reason: 'stop' }] });
    expect(await decode(token('a'), `data: ${last}\n`)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      STOP,
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
      STOP,
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
      STOP,
    ]);
  });

  it('passes white space on together with the text after it', async () => {
    expect(await decode(token('\n'), token(' a'), token(' '), token('b'), token('\n'), 'data: [DONE]\n\n')).toEqual([
      { type: 'text', text: '\n a' },
      { type: 'text', text: ' b' },
      STOP,
    ]);
  });

  it('returns a message once that is sent in parts and then as a whole', async () => {
    const last = data({ choices: [{ message: { content: 'ab' }, finish_reason: 'stop' }] });
    expect(await decode(token('a'), token('b'), last)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      STOP,
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

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['max_tokens', 'length'],
    ['content_filter', 'content_filter'],
    ['SAFETY', 'content_filter'],
    ['eos', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['content-filter', 'content_filter'],
    ['recitation', 'content_filter'],
    ['sensitive', 'content_filter'],
    ['tool_calls', 'stop'],
  ])('tells the finish reason %s as %s', async (reason, told) => {
    expect((await decode(token('a'), finish(reason))).at(-1)).toEqual({ type: 'finish', reason: told });
  });

  it.each([
    ...['error', 'ERROR', 'network_error', 'abort', 'insufficient_system_resource', 'malformed_function_call'].map(
      (reason): [string, string[]] => [`the finish reason ${reason}`, [token('a'), finish(reason)]],
    ),
    ['a call of a tool', [finish('tool_calls', { content: null, tool_calls: [{}] })]],
    [
      'a call of a tool in an earlier event',
      [token('I look that up.'), data({ choices: [{ delta: { tool_calls: [{ index: 0 }] } }] }), finish('tool_calls')],
    ],
    ['an older call of a function', [data({ choices: [{ delta: { function_call: { name: 'f' } } }] }), finish('stop')]],
    ['a detail in place of a choice', [token('a'), data({ detail: 'boom' })]],
    ['an error event that is no JSON', [token('a'), 'event: error\ndata: Overloaded\n\n']],
    ["vLLM's error object", [token('a'), data({ object: 'error', message: 'engine dead', code: 500 })]],
    ["Anthropic's error event", [token('a'), utf8('event: error\ndata: {"type":"error","message":"Overloaded"}\n\n')]],
    ["llama.cpp's error line", [token('a'), utf8('error: {"code":500,"message":"context"}\n\n')]],
    ['an error in its choice', [data({ choices: [{ index: 0, error: { message: 'gone' }, delta: {} }] })]],
  ])('throws for %s', async (_what, parts) => {
    await expect(decode(...parts)).rejects.toThrow();
  });

  it('reports the status of an error in the stream', async () => {
    const error = { object: 'error', message: 'maximum context length is 4096 tokens', code: 400 };
    await expect(decode(data(error))).rejects.toMatchObject({ status: 400, message: error.message });
  });

  it('separates thinking, wherever the tags are split', async () => {
    const parts = ['<th', 'ink>let me', ' see [1]</thi', 'nk>\n\nPears', ' ripen.'].map(token);
    const events = await decode(...parts, finish('stop'));
    const text = (type: string) =>
      events.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('');
    expect(text('reasoning')).toBe('let me see [1]');
    expect(text('text')).toBe('Pears ripen.');
  });

  it.each(['reasoning_content', 'reasoning'])('reads thinking in %s', async (field) => {
    const thought = data({ choices: [{ index: 0, delta: { content: null, [field]: 'hm' } }] });
    expect(await decode(thought, token('a'), finish('stop'))).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
      STOP,
    ]);
  });

  it('reads content in parts, with the thinking in it', async () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'a' },
    ];
    expect(await decode(data({ choices: [{ index: 0, delta: { content: parts } }] }), DONE)).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'a' },
      STOP,
    ]);
  });

  it('reads the first of several answers, and events without choices', async () => {
    const other = data({ choices: [{ index: 1, delta: { content: 'x' } }] });
    expect(await decode(data({ choices: null }), other, token('a'), other, finish('stop'))).toEqual([
      { type: 'text', text: 'a' },
      STOP,
    ]);
  });

  it('reads an only answer that is not numbered 0', async () => {
    const third = (content: string, reason: string | null = null) =>
      data({ choices: [{ index: 2, delta: { content }, finish_reason: reason }] });
    expect(await decode(third('a'), third('b'), third('', 'stop'))).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      STOP,
    ]);
    expect(await decode(third('a', 'length'))).toEqual([
      { type: 'text', text: 'a' },
      { type: 'finish', reason: 'length' },
    ]);
    expect(await decode(third('a'), DONE)).toEqual([{ type: 'text', text: 'a' }, STOP]);
  });

  describe('the framing of a stream', () => {
    const json = (content: string) => JSON.stringify({ choices: [{ index: 0, delta: { content } }] });
    const stop = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    const AB = [{ type: 'text', text: 'größe ' }, { type: 'text', text: '日本🍐' }, STOP];
    const [a, b] = [json('größe '), json('日本🍐')] as const;

    it.each([
      ['one newline between the events', `data: ${a}\ndata: ${b}\ndata: ${stop}\ndata: [DONE]\n`],
      ['one CR between the events', `data: ${a}\rdata: ${b}\rdata: ${stop}\r`],
      ['two CR between the events', `data: ${a}\r\rdata: ${b}\r\rdata: ${stop}\r\r`],
      ['CRLF', `data: ${a}\r\n\r\ndata: ${b}\r\n\r\ndata: ${stop}\r\n\r\ndata: [DONE]\r\n\r\n`],
      ['a byte order mark and no blank after the colon', `\ufeffdata:${a}\n\ndata:${b}\n\ndata:${stop}\n\n`],
      ['JSON lines', `${a}\n${b}\n${stop}\n`],
      ['JSON lines after a comment', `: hello\n\n${a}\n${b}\n${stop}`],
      [
        'names, ids and comments',
        `id: 1\nevent: chunk\n: x\ndata: ${a}\nretry: 5\n\nevent: message\ndata: ${b}\n\ndata: ${stop}\n\n`,
      ],
      [
        'data in several lines',
        [a, b, stop]
          .map((one) => `${JSON.stringify(JSON.parse(one), null, 1).replaceAll(/^/gm, 'data: ')}\n\n`)
          .join(''),
      ],
      ['one JSON array', `[${a},${b},${stop}]`],
      [
        'empty events and other words for the end',
        `data: null\n\ndata:\n\ndata: ${a}\n\ndata: ${b}\n\ndata: "[done]"\n\n`,
      ],
      ['no end', `data: ${a}\n\ndata: ${b}\n\ndata: [DONE]`],
    ])('reads %s, wherever the bytes are split', async (_what, stream) => {
      const bytes = utf8(stream);
      for (const size of [1, 2, 3, 5, 7, 64, bytes.length]) {
        const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.slice(i * size, (i + 1) * size),
        );
        expect(await decode(...parts)).toEqual(AB);
      }
    });

    it('returns an event at its own end where no empty line follows', async () => {
      const paused = async function* () {
        yield Buffer.from(`data: ${a}\n`);
        await new Promise(() => undefined);
      };
      expect(await decodeCompletion(paused()).next()).toEqual({ done: false, value: { type: 'text', text: 'größe ' } });
    });
  });

  describe('a block of thinking that only ends', () => {
    const types = (events: readonly CompletionEvent[]) => events.map(({ type }) => type);
    const said = (events: readonly CompletionEvent[]) => {
      const from = events.findLastIndex(({ type }) => type === 'retraction');
      return events
        .slice(from + 1)
        .map((event) => (event.type === 'text' ? event.text : ''))
        .join('');
    };

    it('is retracted at its end, and is thinking from the beginning in the next answer', async () => {
      const style = { opensThinking: false };
      const stream = [token('Hm, '), token('pears.'), token('</thi'), token('nk>\n\nIn '), token('September.'), DONE];
      const bytes = async function* () {
        for (const part of stream) yield Buffer.from(part, 'latin1');
      };
      const [first, second]: CompletionEvent[][] = [[], []];
      for await (const event of decodeCompletion(bytes(), style)) first?.push(event);
      for await (const event of decodeCompletion(bytes(), style)) second?.push(event);
      expect(types(first as CompletionEvent[])).toEqual(['text', 'text', 'retraction', 'text', 'text', 'finish']);
      expect(said(first as CompletionEvent[])).toBe('In September.');
      expect(types(second as CompletionEvent[])).not.toContain('retraction');
      expect(said(second as CompletionEvent[])).toBe('In September.');
    });

    it('is thinking in a document at once', async () => {
      const message = { content: 'Hm, pears.\n</think>\n\nIn September.' };
      expect(await decode(data({ choices: [{ message, finish_reason: 'stop' }] }))).toEqual([
        { type: 'reasoning', text: 'Hm, pears.\n' },
        { type: 'text', text: 'In September.' },
        STOP,
      ]);
    });

    it('is not expected where the thinking is in a field of its own', async () => {
      const style = { opensThinking: true };
      const thought = data({ choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] });
      const bytes = async function* () {
        for (const part of [thought, token('a'), DONE]) yield Buffer.from(part, 'latin1');
      };
      const events: CompletionEvent[] = [];
      for await (const event of decodeCompletion(bytes(), style)) events.push(event);
      const told = events.filter(({ type }) => type !== 'progress');
      expect(told).toEqual([{ type: 'reasoning', text: 'hm' }, { type: 'text', text: 'a' }, STOP]);
    });
  });

  it('drops a last event that repeats the whole answer', async () => {
    const words = ['Pears ripen in ', 'September, here.'];
    const events = await decode(...words.map(token), finish('stop', { content: words.join('') }));
    expect(events).toEqual([...words.map((text) => ({ type: 'text', text })), STOP]);
  });

  it('reports a refusal as filtered content', async () => {
    const refusal = [
      { type: 'text', text: 'I cannot.' },
      { type: 'finish', reason: 'content_filter' },
    ];
    expect(await decode(finish('stop', { refusal: 'I cannot.' }))).toEqual(refusal);
    const earlier = data({ choices: [{ index: 0, delta: { refusal: 'I cannot.' } }] });
    expect(await decode(earlier, finish('stop'))).toEqual(refusal);
    expect(await decode(finish('stop', { content: [{ type: 'refusal', refusal: 'I cannot.' }] }))).toEqual(refusal);
  });

  it('ends with the finish reason although the connection stays open or breaks', async () => {
    const open = async function* () {
      yield Buffer.from(token('a') + finish('stop'), 'latin1');
      await new Promise(() => undefined);
    };
    const beganMs = performance.now();
    const events: CompletionEvent[] = [];
    for await (const event of decodeCompletion(open())) events.push(event);
    expect(events.at(-1)).toEqual(STOP);
    expect(performance.now() - beganMs).toBeLessThan(2000);
    const broken = async function* () {
      yield Buffer.from(token('a') + finish('stop'), 'latin1');
      throw new Error('Connection reset');
    };
    const read: CompletionEvent[] = [];
    for await (const event of decodeCompletion(broken())) read.push(event);
    expect(read.at(-1)).toEqual(STOP);
  });

  it.each([
    ['an empty finish reason', [finish('', { content: 'a' }), finish('null', { content: 'b' })]],
    ['an empty error', [data({ error: '', choices: [{ delta: { content: 'a' } }] }), token('b')]],
    ['events of a keep-alive', [token('a'), 'event: ping\ndata: {"type":"ping"}\n\n', 'data:\n\n', token('b')]],
    ['a message beside each delta', [data({ choices: [{ delta: { content: 'a' }, message: {} }] }), token('b')]],
    ['a single part in place of an array', [data({ choices: [{ delta: { content: { text: 'a' } } }] }), token('b')]],
    ['the text of the older completions', [data({ choices: [{ text: 'a', index: 0 }] }), token('b')]],
  ])('goes on after %s', async (_what, parts) => {
    const events = await decode(...parts, finish('stop'));
    expect(events).toEqual([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, STOP]);
  });

  it('reads the status and the name of an error that has no number', async () => {
    const spent = decode(
      data({ error: { message: 'You exceeded your quota', type: 'insufficient_quota', code: null } }),
    );
    await expect(spent).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    await expect(decode(JSON.stringify([{ error: { code: 400, message: 'no key' } }]))).rejects.toMatchObject({
      status: 400,
      message: 'no key',
    });
  });

  it('makes the text storable', async () => {
    const half = (escaped: string) => `data: {"choices":[{"index":0,"delta":{"content":"${escaped}"}}]}\n\n`;
    const events = await decode(half('a\\u0000b \\ud83c'), half('\\udf50 c'), half('\\ud83c d'), DONE);
    const text = events.map((event) => ('text' in event ? event.text : '')).join('');
    expect(text).toBe('ab \u{1f350} c\ufffd d');
  });

  it('counts a keep-alive comment as progress', async () => {
    const bytes = async function* () {
      yield Buffer.from(': PROCESSING\n\n');
      yield Buffer.from(token('a') + DONE, 'latin1');
    };
    const types: string[] = [];
    for await (const { type } of decodeCompletion(bytes())) types.push(type);
    expect(types).toEqual(['progress', 'text', 'finish']);
  });
});
