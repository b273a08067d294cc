import OpenAI from 'openai';
import { Caudex, type Person } from './caudex.js';
import { FakeLlm, says } from './fake-llm.js';

type Message = OpenAI.ChatCompletionMessageParam;
interface Stored {
  conversation_id: string;
  turns: number;
}

describe('the conversations of an OpenAI client', () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let client: OpenAI;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    llm.behaviour = says('Yes.');
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake' });
  }, 60_000);
  beforeEach(async () => {
    ann = await caudex.signUp();
    client = new OpenAI({ apiKey: ann.token, baseURL: `${caudex.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await caudex.stop();
    await llm.stop();
  });

  /** Sends all earlier messages with each question, as clients of chat completions do. */
  class Thread {
    readonly messages: Message[] = [{ role: 'system', content: 'Be kind.' }];
    constructor(private readonly more: object = {}) {}

    async ask(content: string): Promise<void> {
      this.messages.push({ role: 'user', content });
      const answer = await client.chat.completions.create({ model: 'caudex', messages: this.messages, ...this.more });
      this.messages.push({ role: 'assistant', content: answer.choices[0]?.message.content ?? '' });
    }
  }

  const conversations = async () =>
    (await ann.get<{ conversations: Stored[] }>('/v1/api/conversations')).conversations
      .map(({ turns }) => turns)
      .sort();

  it('are one for each thread', async () => {
    const [a, b] = [new Thread(), new Thread()];
    for (const question of ['Is it late?', 'Is it cold?', 'Is it far?']) await a.ask(question);
    await b.ask('Is it new?');
    await b.ask('Is it red?');
    expect(await conversations()).toEqual([2, 3]);
  });

  it('stay separate where two threads have the same beginning', async () => {
    const [a, b] = [new Thread(), new Thread()];
    await a.ask('Hello');
    await b.ask('Hello');
    await a.ask('One');
    await b.ask('Two');
    expect(await conversations()).toEqual([2, 2]);
  });

  it('are never shared by two users of one account', async () => {
    const [a, b] = [new Thread({ user: 'a' }), new Thread({ user: 'b' })];
    await a.ask('Hello');
    b.messages.push(...a.messages.slice(1));
    await b.ask('And?');
    expect(await conversations()).toEqual([1, 1]);
  });

  it('follow metadata.conversation_id', async () => {
    await new Thread({ metadata: { conversation_id: 'mine' } }).ask('Hello');
    await new Thread({ metadata: { conversation_id: 'mine' } }).ask('Hello again');
    const { turns } = await ann.get<{ turns: { question: string }[] }>('/v1/api/conversations/mine');
    expect(turns.map(({ question }) => question)).toEqual(['Hello', 'Hello again']);
    await expect(new Thread({ metadata: { conversation_id: 'no/id' } }).ask('x')).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('metadata.conversation_id') as string,
    });
  });

  it('keep an edited question as a branch', async () => {
    const thread = new Thread();
    await thread.ask('Is it late?');
    await thread.ask('Is it cold?');
    thread.messages.length -= 2;
    await thread.ask('Is it warm?');
    const [{ conversation_id, turns: all } = { conversation_id: '', turns: 0 }] = (
      await ann.get<{ conversations: Stored[] }>('/v1/api/conversations')
    ).conversations;
    expect(all).toBe(3);
    const { turns } = await ann.get<{ turns: { question: string }[] }>(`/v1/api/conversations/${conversation_id}`);
    expect(turns.map(({ question }) => question)).toEqual(['Is it late?', 'Is it warm?']);
  });

  it('continue while filesystem is unavailable', async () => {
    const thread = new Thread();
    await caudex.kill('filesystem');
    await thread.ask('Is it late?');
    await thread.ask('Is it cold?');
    await caudex.launch('filesystem');
    const end = Date.now() + 15_000;
    while (JSON.stringify(await conversations().catch(() => [])) !== '[2]' && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await conversations()).toEqual([2]);
  }, 60_000);
});
