import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { ANSWER, assert, baseURL, model, QUESTION, token } from './given.mjs';

const configuration = { baseURL };
const chat = new ChatOpenAI({ model, apiKey: token, configuration, maxRetries: 0 });
assert.equal(
  (
    await chat.invoke([
      ['system', 'Be brief.'],
      ['human', QUESTION],
    ])
  ).content,
  ANSWER,
);

let text = '';
for await (const part of await chat.stream(QUESTION)) text += part.content;
assert.equal(text, ANSWER);

const schema = z.object({ month: z.string() });
const structured = chat.withStructuredOutput(schema, { method: 'jsonSchema', name: 'ripening' });
assert.deepEqual(await structured.invoke(QUESTION), { month: 'September' });

const responses = new ChatOpenAI({ model, apiKey: token, configuration, maxRetries: 0, useResponsesApi: true });
assert.equal((await responses.invoke(QUESTION)).text, ANSWER);

const embeddings = new OpenAIEmbeddings({ model: 'caudex', apiKey: token, configuration, maxRetries: 0 });
const [a, b] = await embeddings.embedDocuments(['pears', 'plums']);
assert.equal(a.length, 256);
assert.notDeepEqual(a, b);
