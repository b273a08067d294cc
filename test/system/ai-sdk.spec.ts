import { DefaultChatTransport, type UIMessage, type UIMessageChunk } from 'ai';
import { Caudex, type Person } from './caudex.js';
import { chunk, FakeLlm } from './fake-llm.js';

const user = (text: string): UIMessage => ({ id: text.slice(0, 20), role: 'user', parts: [{ type: 'text', text }] });
const DONE = 'data: [DONE]\n\n';

async function all(stream: ReadableStream<UIMessageChunk>): Promise<UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  for await (const one of stream) chunks.push(one);
  return chunks;
}
const textOf = (chunks: readonly UIMessageChunk[]) =>
  chunks.map((one) => (one.type === 'text-delta' ? one.delta : '')).join('');

describe("the AI SDK's own transport, without options", () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let transport: DefaultChatTransport<UIMessage>;
  let chats = 0;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake' });
    ann = await caudex.signUp();
    transport = new DefaultChatTransport({
      api: `${caudex.url}/v1/api/chat`,
      headers: { authorization: `Bearer ${ann.token}` },
    });
  }, 120_000);
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  const send = (chatId: string, messages: UIMessage[], signal?: AbortSignal) =>
    transport.sendMessages({ trigger: 'submit-message', chatId, messageId: undefined, messages, abortSignal: signal });
  const newId = () => `chat${++chats}abcdefgh`;

  it('gets an answer, with its finish reason', async () => {
    const chunks = await all(await send(newId(), [user('Hello')]));
    expect(textOf(chunks)).toBe('An answer [1].');
    expect(chunks.find(({ type }) => type === 'finish')).toMatchObject({ finishReason: 'stop' });
  });

  it("keeps the client's conversation under the client's id, with what was said before", async () => {
    const id = newId();
    await all(await send(id, [user('My cat is called Quixote.')]));
    const before: UIMessage[] = [
      user('My cat is called Quixote.'),
      { id: 'a', role: 'assistant', parts: [{ type: 'text', text: 'Noted.' }] },
    ];
    await all(await send(id, [...before, user('What is it called?')]));
    const { messages } = llm.requests.at(-1) ?? { messages: [] };
    expect(messages.map(({ content }) => content).slice(1)).toEqual([
      'My cat is called Quixote.',
      'Noted.',
      'What is it called?',
    ]);
    const { turns } = await ann.get<{ turns: unknown[] }>(`/v1/api/conversations/${id}`);
    expect(turns).toHaveLength(2);
  });

  it('shows thinking as reasoning parts and no part of the answer', async () => {
    llm.behaviour = (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      reply.write(chunk('<think>secret'));
      reply.write(chunk(' thought</think>'));
      reply.end(chunk('Answer.') + DONE);
    };
    const chunks = await all(await send(newId(), [user('Think')]));
    expect(textOf(chunks)).toBe('Answer.');
    expect(chunks.map((one) => (one.type === 'reasoning-delta' ? one.delta : '')).join('')).toBe('secret thought');
  });

  it('stops the model within a second of a disconnect, and resumes nothing afterwards', async () => {
    const before = llm.aborted;
    llm.behaviour = async (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < 200 && !reply.destroyed; i++) {
        reply.write(chunk(`word${i} `));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      reply.end();
    };
    const id = newId();
    const gone = new AbortController();
    const reader = (await send(id, [user('Tell me a long story')], gone.signal)).getReader();
    for (let seen = false; !seen;) seen = (await reader.read()).value?.type === 'text-delta';
    const beganMs = performance.now();
    gone.abort();
    while (llm.aborted === before && performance.now() - beganMs < 5000) await new Promise((r) => setTimeout(r, 20));
    expect(performance.now() - beganMs).toBeLessThan(1000);
    const resumed = async () => transport.reconnectToStream({ chatId: id });
    for (let left = 50; left > 0 && (await resumed()) !== null; left--) await new Promise((r) => setTimeout(r, 50));
    expect(await resumed()).toBeNull();
    const { turns } = await ann.get<{ turns: { answer: object }[] }>(`/v1/api/conversations/${id}`);
    expect(turns.at(-1)?.answer).toMatchObject({ state: 'partial', finish_reason: 'cancelled' });
  });

  it('finds nothing to resume in a conversation that has no message yet', async () => {
    expect(await transport.reconnectToStream({ chatId: `chat${Date.now()}` })).toBeNull();
  });

  it('reads the reason of a refusal as a sentence', async () => {
    const stranger = new DefaultChatTransport({
      api: `${caudex.url}/v1/api/chat`,
      headers: { authorization: 'Bearer x' },
    });
    const refused = stranger.sendMessages({
      chatId: newId(),
      messages: [user('Hello')],
      trigger: 'submit-message',
      messageId: undefined,
      abortSignal: undefined,
    });
    await expect(refused).rejects.toThrow(/^The token is malformed; sign in again\.$/);
    await expect(send(newId(), [user('x'.repeat(300_000))])).rejects.toThrow(/^message: \d+ bytes are too many/);
  });
});
