import { explanationIn } from './explanation.js';

const explain = (body: unknown) => explanationIn(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

describe('explanationIn', () => {
  it.each([
    ['our own problem', { code: 'not_found', detail: 'None.', status: 404 }, 'not_found', 'None.'],
    [
      'OpenAI',
      { error: { message: 'No.', type: 'invalid_request_error', code: null } },
      'invalid_request_error',
      'No.',
    ],
    ['Gemini', [{ error: { code: 400, message: 'No.', status: 'INVALID_ARGUMENT' } }], '400', 'No.'],
    ['Ollama', { error: 'No.' }, 'error', 'No.'],
    ['vLLM', { object: 'error', message: 'No.', type: 'BadRequestError', code: 400 }, '400', 'No.'],
    ['FastAPI', { detail: [{ loc: ['body', 'n'], msg: 'too large' }] }, 'error', 'body.n: too large'],
    ['Mistral', { message: { detail: [{ loc: ['body'], msg: 'No.' }] }, type: 'x' }, 'x', 'body: No.'],
    ['a text', 'Unauthorized\n', 'error', 'Unauthorized'],
  ])('reads %s', (_who, body, code, detail) => {
    expect(explain(body)).toEqual({ code, detail });
  });

  it.each([
    ['a page', '<html>'],
    ['nothing', ''],
    ['other JSON', '{"a":1}'],
    ['null', 'null'],
    ['a number', '5'],
  ])('finds none in %s', (_what, body) => expect(explain(body)).toBeUndefined());

  it('shortens a long one', () => {
    expect(explain({ error: 'x'.repeat(5000) })?.detail).toHaveLength(500);
  });
});
