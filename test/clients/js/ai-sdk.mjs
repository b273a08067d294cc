import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as ai5 from 'ai5';
import * as ai6 from 'ai6';
import * as ai7 from 'ai7';
import { ANSWER, assert, baseURL, model, project, QUESTION, token, url } from './given.mjs';

const headers = { authorization: `Bearer ${token}` };
const user = (id, text) => ({ id, role: 'user', parts: [{ type: 'text', text }] });

for (const [name, { DefaultChatTransport, readUIMessageStream }] of Object.entries({ ai5, ai6, ai7 })) {
  const transport = new DefaultChatTransport({ api: `${url}/v1/api/chat`, headers, body: { project_id: project } });
  const chatId = `chat-${name}-${Date.now()}`;
  const ask = async (messages, trigger = 'submit-message', messageId = undefined) => {
    const stream = await transport.sendMessages({ chatId, messages, trigger, messageId, abortSignal: undefined });
    let message;
    for await (const state of readUIMessageStream({ stream })) message = state;
    return message;
  };
  const text = ({ parts }) => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

  const first = await ask([user('u1', QUESTION)]);
  assert.equal(text(first), ANSWER, name);
  assert.equal(first.parts.filter(({ type }) => type === 'source-document').length, 1, name);
  const again = await ask([user('u1', QUESTION)], 'regenerate-message', first.id);
  assert.notEqual(again.id, first.id, name);
  assert.equal(await transport.reconnectToStream({ chatId }), null, name);
  const stored = await (await fetch(`${url}/v1/api/conversations/${chatId}`, { headers })).json();
  assert.equal(stored.turns.length, 1, name);
  assert.deepEqual(stored.turns[0].siblings, [first.id, again.id], name);
}

const compatible = createOpenAICompatible({ name: 'caudex', baseURL, apiKey: token });
assert.equal((await ai7.generateText({ model: compatible(model), prompt: QUESTION })).text, ANSWER);
let streamed = '';
for await (const part of ai7.streamText({ model: compatible(model), prompt: QUESTION }).textStream) streamed += part;
assert.equal(streamed, ANSWER);

// Its models speak the Responses API, and name earlier answers by reference.
const openai = createOpenAI({ baseURL, apiKey: token });
const first = await ai7.generateText({ model: openai(model), prompt: QUESTION });
assert.equal(first.text, ANSWER);
const messages = [
  { role: 'user', content: QUESTION },
  ...first.response.messages,
  { role: 'user', content: 'And plums?' },
];
assert.equal((await ai7.generateText({ model: openai(model), messages })).text, ANSWER);
