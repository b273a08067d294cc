import { gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { chunk, type FakeLlm, says, saysAtOnce } from '../system/fake-llm.js';

/** One behaviour of a model's endpoint, as observed with real ones. */
export interface Scene {
  /** The behaviour of the endpoint. */
  does: string;
  behaviour: FakeLlm['behaviour'];
}

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const part = (delta: object, finish_reason: string | null = null) =>
  event({ choices: [{ index: 0, delta, finish_reason }] });
const DONE = 'data: [DONE]\n\n';

/** A stream of these frames, ended. */
const streams = (...frames: string[]): Scene['behaviour'] => {
  return (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.end(frames.join(''));
  };
};
/** A stream that is cut after these frames. */
const breaksOff = (...frames: string[]): Scene['behaviour'] => {
  return (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(frames.join(''), () => setTimeout(() => reply.destroy(), 20));
  };
};
const refuses = (status: number, error: object | string, headers: Record<string, string> = {}): Scene['behaviour'] => {
  return (_request, reply) => refuse(reply, status, error, headers);
};
function refuse(
  reply: ServerResponse,
  status: number,
  error: object | string,
  headers: Record<string, string> = {},
): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers });
  reply.end(JSON.stringify({ error }));
}
/** Refuses a request with this field and answers one without it. */
const refusesField = (field: string, message: string): Scene['behaviour'] => {
  return (request, reply) =>
    field in request ? refuse(reply, 400, { message, code: 'unsupported_parameter' }) : says(ANSWER)(request, reply);
};

const ANSWER = 'In September [1].';

const STOP = part({}, 'stop');
const TOO_LONG = { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' };
/** Refuses a prompt of more than so many characters. */
const refusesLong = (chars: number, status: number, error: object | string): Scene['behaviour'] => {
  return (request, reply) => {
    if (JSON.stringify(request.messages).length > chars) refuse(reply, status, error);
    else void says(ANSWER)(request, reply);
  };
};
/** Compresses its stream without being asked to. */
const compresses: Scene['behaviour'] = (_request, reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
  reply.end(gzipSync([chunk(ANSWER), STOP, DONE].join('')));
};
const redirects: Scene['behaviour'] = (request, reply) => {
  if (reply.req.url?.startsWith('/moved') === true) {
    void says(ANSWER)(request, reply);
    return;
  }
  reply.writeHead(308, { location: `/moved${reply.req.url}` });
  reply.end();
};
const hangs: Scene['behaviour'] = (_request, reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.write([chunk(ANSWER), STOP].join(''));
};

export const SCENES: readonly Scene[] = [
  { does: 'streams an answer', behaviour: says(ANSWER) },
  { does: 'answers at once, though a stream was asked for', behaviour: saysAtOnce(ANSWER) },
  {
    does: 'thinks in `reasoning_content`',
    behaviour: streams(part({ reasoning_content: 'Hm.' }), chunk(ANSWER), STOP, DONE),
  },
  { does: 'thinks in `reasoning`', behaviour: streams(part({ reasoning: 'Hm.' }), chunk(ANSWER), STOP, DONE) },
  {
    does: 'thinks in `<think>`, split between chunks',
    behaviour: streams(chunk('<thi'), chunk('nk>Hm.</th'), chunk('ink>'), chunk(ANSWER), STOP, DONE),
  },
  {
    does: 'thinks in `[THINK]` (Magistral)',
    behaviour: streams(chunk('[THINK]Hm.[/THINK]'), chunk(ANSWER), STOP, DONE),
  },
  {
    does: 'thinks without an opening mark, as the prompt of its template has it',
    behaviour: streams(chunk('Hm, pears.\n'), chunk('</think>\n\n'), chunk(ANSWER), STOP, DONE),
  },
  {
    does: 'only thinks, until its tokens are used up',
    behaviour: streams(part({ reasoning: 'Hm.' }), part({}, 'length'), DONE),
  },
  {
    does: 'gives its text as an array of parts',
    behaviour: streams(part({ content: [{ type: 'text', text: ANSWER }] }), STOP, DONE),
  },
  {
    does: 'sends empty choices first, for the content filter (Azure)',
    behaviour: streams(
      event({ choices: [], prompt_filter_results: [] }),
      part({ role: 'assistant', content: '' }),
      chunk(ANSWER),
      STOP,
      DONE,
    ),
  },
  {
    does: 'sends CRLF, a byte order mark and data in several lines',
    behaviour: streams(
      '\ufeff',
      `data: {"choices":[\r\ndata: {"index":0,"delta":{"content":"${ANSWER}"}}]}\r\n\r\n`,
      STOP,
      DONE,
    ),
  },
  {
    does: 'sends one newline between its events',
    behaviour: streams(...[chunk('In September'), chunk(' [1].'), STOP, DONE].map((one) => one.replace('\n\n', '\n'))),
  },
  {
    does: 'sends JSON lines',
    behaviour: streams(...[chunk('In September'), chunk(' [1].'), STOP].map((one) => one.slice('data: '.length, -1))),
  },
  {
    does: 'numbers its only choice 1',
    behaviour: streams(event({ choices: [{ index: 1, delta: { content: ANSWER }, finish_reason: 'stop' }] }), DONE),
  },
  {
    does: 'sends a finish reason of "null" with each chunk',
    behaviour: streams(part({ content: 'In September' }, 'null'), part({ content: ' [1].' }, 'null'), STOP, DONE),
  },
  {
    does: 'repeats the whole answer in its last chunk',
    behaviour: streams(
      chunk('They ripen in Septem'),
      chunk('ber [1].'),
      part({ content: 'They ripen in September [1].' }, 'stop'),
      DONE,
    ),
  },
  { does: 'compresses its stream, though that was not asked for', behaviour: compresses },
  { does: 'redirects (308) to another path', behaviour: redirects },
  { does: 'keeps the connection open after its finish reason', behaviour: hangs },
  { does: 'ends with `finish_reason: length`', behaviour: streams(chunk('In Sep'), part({}, 'length'), DONE) },
  {
    does: 'ends with `finish_reason: content_filter`',
    behaviour: streams(chunk('In Sep'), part({}, 'content_filter'), DONE),
  },
  {
    does: 'ends with `finish_reason: content_filter` before any text',
    behaviour: streams(part({}, 'content_filter'), DONE),
  },
  { does: 'refuses in `refusal`', behaviour: streams(part({ refusal: 'I cannot help.' }), STOP, DONE) },
  {
    does: 'calls a tool, though none was offered',
    behaviour: streams(
      part({ tool_calls: [{ index: 0, function: { name: 'f', arguments: '{}' } }] }),
      part({}, 'tool_calls'),
      DONE,
    ),
  },
  { does: 'ends without a word', behaviour: streams(STOP, DONE) },
  { does: 'breaks off in the middle', behaviour: breaksOff(chunk('In '), chunk('September')) },
  { does: 'ends without a finish reason', behaviour: streams(chunk('In September')) },
  { does: 'ends with `finish_reason: error`', behaviour: streams(chunk('In September'), part({}, 'error'), DONE) },
  {
    does: 'sends an error in the middle of the stream',
    behaviour: streams(chunk('In September'), event({ error: { message: 'Overloaded', code: 500 } })),
  },
  {
    does: 'sends an error event in the middle (Anthropic)',
    behaviour: streams(
      chunk('In September'),
      'event: error\ndata: {"type":"error","error":{"message":"Overloaded"}}\n\n',
    ),
  },
  {
    does: 'sends a spent quota as its first event, with status 200',
    behaviour: streams(event({ error: { message: 'You exceeded your quota', type: 'insufficient_quota' } })),
  },
  { does: 'refuses `max_tokens`', behaviour: refusesField('max_tokens', "Unsupported parameter: 'max_tokens'") },
  {
    does: 'refuses `stream_options`',
    behaviour: refusesField('stream_options', "Unrecognized request argument: 'stream_options'"),
  },
  { does: 'says that its context is too small (OpenAI)', behaviour: refusesLong(700, 400, TOO_LONG) },
  {
    does: 'says that its context is too small (500, llama.cpp)',
    behaviour: refusesLong(700, 500, { code: 500, message: 'the request exceeds the available context size' }),
  },
  { does: 'says so again after the prompt was shortened', behaviour: refuses(400, TOO_LONG) },
  {
    does: 'refuses the question by its content filter (400, Azure)',
    behaviour: refuses(400, { message: 'The response was filtered', code: 'content_filter' }),
  },
  { does: 'answers 500', behaviour: refuses(500, { message: 'Oops' }) },
  { does: 'answers 503', behaviour: refuses(503, { message: 'Loading model' }) },
  {
    does: 'answers 429 with `Retry-After`',
    behaviour: refuses(429, { message: 'Slow down' }, { 'retry-after': '30' }),
  },
  {
    does: 'answers 429 `insufficient_quota`',
    behaviour: refuses(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }),
  },
  {
    does: 'answers 401 (wrong key)',
    behaviour: refuses(401, { message: 'Incorrect API key', code: 'invalid_api_key' }),
  },
  {
    does: 'answers 400 to a wrong key (Gemini)',
    behaviour: (_request, reply) => {
      reply.writeHead(400, { 'content-type': 'application/json' });
      reply.end(JSON.stringify([{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }]));
    },
  },
  { does: 'answers 402 (not paid)', behaviour: refuses(402, { message: 'Insufficient credits', code: 402 }) },
  { does: 'answers 403', behaviour: refuses(403, { message: 'Not allowed for your region' }) },
  {
    does: 'answers 404 (no such model)',
    behaviour: refuses(404, { message: 'No such model', code: 'model_not_found' }),
  },
  { does: 'answers 404 with a text (Ollama)', behaviour: refuses(404, "model 'pear' not found") },
  {
    does: 'answers with HTML',
    behaviour: (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/html' });
      reply.end('<html>Welcome</html>');
    },
  },
];
