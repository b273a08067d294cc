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
const refuses = (status: number, error: object, headers: Record<string, string> = {}): Scene['behaviour'] => {
  return (_request, reply) => refuse(reply, status, error, headers);
};
function refuse(reply: ServerResponse, status: number, error: object, headers: Record<string, string> = {}): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers });
  reply.end(JSON.stringify({ error }));
}
/** Refuses a request with this field and answers one without it. */
const refusesField = (field: string, message: string): Scene['behaviour'] => {
  return (request, reply) =>
    field in request ? refuse(reply, 400, { message, code: 'unsupported_parameter' }) : says(ANSWER)(request, reply);
};

const ANSWER = 'In September [1].';

export const SCENES: readonly Scene[] = [
  { does: 'streams an answer', behaviour: says(ANSWER) },
  { does: 'answers at once, though a stream was asked for', behaviour: saysAtOnce(ANSWER) },
  {
    does: 'thinks in `reasoning_content`',
    behaviour: streams(part({ reasoning_content: 'Hm.' }), chunk(ANSWER), part({}, 'stop'), DONE),
  },
  {
    does: 'thinks in `<think>`, split between chunks',
    behaviour: streams(chunk('<thi'), chunk('nk>Hm.</th'), chunk('ink>'), chunk(ANSWER), part({}, 'stop'), DONE),
  },
  {
    does: 'gives its text as an array of parts',
    behaviour: streams(part({ content: [{ type: 'text', text: ANSWER }] }), part({}, 'stop'), DONE),
  },
  { does: 'ends with `finish_reason: length`', behaviour: streams(chunk('In Sep'), part({}, 'length'), DONE) },
  {
    does: 'ends with `finish_reason: content_filter`',
    behaviour: streams(chunk('In Sep'), part({}, 'content_filter'), DONE),
  },
  { does: 'ends without a word', behaviour: streams(part({}, 'stop'), DONE) },
  { does: 'breaks off in the middle', behaviour: breaksOff(chunk('In '), chunk('September')) },
  {
    does: 'sends an error in the middle of the stream',
    behaviour: streams(chunk('In September'), event({ error: { message: 'Overloaded', code: 500 } })),
  },
  { does: 'refuses `max_tokens`', behaviour: refusesField('max_tokens', "Unsupported parameter: 'max_tokens'") },
  {
    does: 'refuses `stream_options`',
    behaviour: refusesField('stream_options', "Unrecognized request argument: 'stream_options'"),
  },
  {
    does: 'says that its context is too small',
    behaviour: refuses(400, { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' }),
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
  { does: 'answers 403', behaviour: refuses(403, { message: 'Not allowed for your region' }) },
  {
    does: 'answers 404 (no such model)',
    behaviour: refuses(404, { message: 'No such model', code: 'model_not_found' }),
  },
  {
    does: 'answers with HTML',
    behaviour: (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/html' });
      reply.end('<html>Welcome</html>');
    },
  },
];
