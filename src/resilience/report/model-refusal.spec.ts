import { refusalOf } from '../wire/answer.js';
import { refusalKind } from './model-refusal.js';

const told = (status: number, body: unknown) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return refusalOf('llm', { status, headers: {}, body: bytes }, 'no answer');
};

/** Bodies as the providers send them. */
const REFUSALS: [kind: ReturnType<typeof refusalKind>, provider: string, status: number, body: unknown][] = [
  ['configuration', 'OpenAI', 401, { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } }],
  ['configuration', 'OpenAI', 429, { error: { message: 'You exceeded your quota', type: 'insufficient_quota' } }],
  [
    'configuration',
    'LiteLLM',
    429,
    { error: { message: 'RateLimitError: You exceeded your current quota', code: '429' } },
  ],
  [undefined, 'Gemini', 429, [{ error: { message: 'You exceeded your current quota. Please retry in 12.5s.' } }]],
  ['configuration', 'Gemini', 400, [{ error: { code: 400, message: 'API key not valid. Please pass a valid one.' } }]],
  ['configuration', 'xAI', 400, { code: 'invalid argument', error: 'Incorrect API key provided: x***.' }],
  ['configuration', 'Anthropic', 400, { error: { message: 'Your credit balance is too low to access the API.' } }],
  ['configuration', 'DeepSeek', 400, { error: { message: 'Model Not Exist', type: 'invalid_request_error' } }],
  ['configuration', 'OpenRouter', 400, { error: { message: 'foo/bar is not a valid model ID', code: 400 } }],
  ['configuration', 'Ollama', 404, { error: "model 'llama9' not found, try pulling it first" }],
  ['configuration', 'FastAPI', 422, { detail: [{ loc: ['body', 'model'], msg: 'field required' }] }],
  ['configuration', 'nginx', 404, '<html>nginx</html>'],
  ['prompt_too_long', 'OpenAI', 400, { error: { message: 'Please reduce it.', code: 'context_length_exceeded' } }],
  ['prompt_too_long', 'vLLM', 400, { object: 'error', message: "This model's maximum context length is 4096 tokens." }],
  [
    'prompt_too_long',
    'TGI',
    422,
    { error: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048' },
  ],
  ['prompt_too_long', 'Gemini', 400, [{ error: { message: 'The input token count (9) exceeds the maximum (8).' } }]],
  [
    'prompt_too_long',
    'xAI',
    400,
    { error: "This model's maximum prompt length is 8 but the request contains 9 tokens." },
  ],
  ['prompt_too_long', 'Moonshot', 400, { error: { message: 'Your request exceeded model token limit: 8192' } }],
  ['prompt_too_long', 'DashScope', 400, { error: { message: 'Range of input length should be [1, 6000]' } }],
  ['prompt_too_long', 'llama.cpp', 500, { error: { message: 'the request exceeds the available context size' } }],
  ['prompt_too_long', 'Groq', 413, { error: { message: 'Request too large', code: 'rate_limit_exceeded' } }],
  ['content_filter', 'Azure', 400, { error: { message: 'The response was filtered.', code: 'content_filter' } }],
  ['content_filter', 'OpenRouter', 403, { error: { message: 'Your chosen model requires moderation', code: 403 } }],
  ['content_filter', 'DashScope', 400, { error: { message: 'Bad input', code: 'data_inspection_failed' } }],
  [undefined, 'OpenAI', 400, { error: { message: "Unsupported parameter: 'stop' is not supported with this model." } }],
  [undefined, 'OpenAI', 400, { error: { message: 'Invalid schema for response_format: no type' } }],
  [undefined, 'OpenAI', 429, { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } }],
  [undefined, 'anything', 500, { error: { message: 'Internal error' } }],
];

describe('refusalKind', () => {
  it.each(REFUSALS)('is %s for %s with status %i and %j', (kind, _provider, status, body) => {
    expect(refusalKind(told(status, body))).toBe(kind);
  });

  it('keeps a prompt that is too long from counting as a fault of the service, whatever its status', () => {
    expect(told(500, { error: { message: 'context size exceeded' } }).reason).toBe('rejected');
    expect(told(500, { error: { message: 'out of memory' } }).reason).toBe('fault');
  });
});
