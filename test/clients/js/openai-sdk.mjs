import OpenAI from 'openai';
import { ANSWER, assert, baseURL, model, QUESTION, token } from './given.mjs';

const client = new OpenAI({ apiKey: token, baseURL, maxRetries: 0 });
const messages = [{ role: 'user', content: QUESTION }];

const whole = await client.chat.completions.create({ model, messages });
assert.equal(whole.choices[0].message.content, ANSWER);
assert.equal(whole.choices[0].message.annotations[0].type, 'url_citation');

let text = '';
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
  text += chunk.choices[0]?.delta.content ?? '';
}
assert.equal(text, ANSWER);

const first = await client.responses.create({ model, input: QUESTION });
assert.equal(first.output_text, ANSWER);
const second = await client.responses
  .stream({ model, input: 'And plums?', previous_response_id: first.id })
  .finalResponse();
assert.equal(second.output_text, ANSWER);
assert.equal(second.conversation.id, first.conversation.id);

const { data } = await client.embeddings.create({ model: 'caudex', input: ['pears', 'plums'] });
assert.deepEqual(
  data.map(({ embedding }) => embedding.length),
  [256, 256],
);
await assert.rejects(client.chat.completions.create({ model: 'gpt-4', messages }), { code: 'model_not_found' });
