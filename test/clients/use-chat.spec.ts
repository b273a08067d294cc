import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { Caudex, type Person, until } from '../system/caudex.js';
import { chunk, END, FakeLlm, says } from '../system/fake-llm.js';
import { describeInBrowser, launchBrowser } from '../web/browser.js';

/** See clients.spec.ts. */
const CLIENTS = process.env['CAUDEX_CLIENTS'];
const whereInstalled = CLIENTS === undefined ? describe.skip : describeInBrowser;
const run = promisify(execFile);

interface Message {
  id: string;
  role: string;
  parts: { type: string; text?: string }[];
}
interface Chat {
  id: string;
  status: string;
  error?: Error;
  messages: Message[];
  sendMessage(message: { text: string; messageId?: string }): Promise<void>;
  regenerate(options?: { messageId: string }): Promise<void>;
  stop(): Promise<void>;
}
declare global {
  var chat: Chat;
}

/** A model that answers with the number of the request, word by word. */
const counts = (): FakeLlm['behaviour'] => {
  let number = 0;
  return (request, reply) => says(`Answer ${(number += 1)}.`)(request, reply);
};
/** A model that goes on for 20 s. */
const goesOn: FakeLlm['behaviour'] = async (_request, reply) => {
  reply.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 0; i < 200 && !reply.destroyed; i++) {
    reply.write(chunk(`word${i} `));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  reply.end(END);
};
const textOf = ({ parts }: Message) => parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

/** A web server with the page of one version, on an origin of its own. */
async function serve(version: number): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'caudex-use-chat-'));
  const builder = join(import.meta.dirname, 'page/build.mjs');
  await run(process.execPath, [builder, join(String(CLIENTS), 'js/node_modules'), String(version), folder]);
  const script = readFileSync(join(folder, 'page.js'));
  const server = createServer((request, reply) => {
    const isScript = request.url === '/page.js';
    reply.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    reply.end(isScript ? script : '<!doctype html><body><script type="module" src="/page.js"></script>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

whereInstalled('useChat in a page of another origin', () => {
  let llm: FakeLlm;
  let caudex: Caudex;
  let ann: Person;
  let project: string;
  let browser: Browser;

  beforeAll(async () => {
    llm = await FakeLlm.start();
    caudex = await Caudex.start({ LLM_BASE_URL: llm.url, LLM_MODEL: 'fake', CAUDEX__HTTP__CORS_ORIGINS: '["*"]' });
    ann = await caudex.signUp();
    project = await ann.project();
    await ann.upload(project, 'pears.md', '# Pears\n\nPears ripen in September.');
    await until('the document is indexed', async () => (await ann.search(project, 'pears')).source === 'hybrid');
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await caudex.stop();
    await llm.stop();
  });

  describe.each([5, 6, 7])('of the AI SDK %i', (version) => {
    let server: Server;
    let page: Page;

    beforeAll(async () => {
      server = await serve(version);
    }, 60_000);
    afterAll(() => server.close());
    beforeEach(async () => {
      llm.behaviour = counts();
      page = await browser.newPage();
    });
    afterEach(() => page.close());

    const visit = async (options: { id?: string; token?: string; resume?: string } = {}) => {
      const query = new URLSearchParams({ api: `${caudex.url}/v1/api/chat`, token: ann.token, project, ...options });
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?${query}`);
      await page.waitForFunction(() => 'chat' in globalThis);
    };
    const settled = () => page.waitForFunction(() => ['ready', 'error'].includes(globalThis.chat.status));
    const ask = async (text: string, messageId?: string) => {
      const message = { text, ...(messageId === undefined ? {} : { messageId }) };
      // The promise of `sendMessage` is not returned, because a test may stop the answer.
      await page.evaluate((sent) => void globalThis.chat.sendMessage(sent), message);
      await page.waitForFunction(() => globalThis.chat.status !== 'ready');
    };
    const messages = () => page.evaluate((): Message[] => globalThis.chat.messages);
    const chatId = () => page.evaluate(() => globalThis.chat.id);
    const branches = (id: string) =>
      ann.get<{ turns: { message_id: string; question: string; siblings?: string[]; parent_id?: string | null }[] }>(
        `/v1/api/conversations/${id}?branch=all`,
      );

    it('gets an answer with its sources, and another answer as a sibling of the first', async () => {
      await visit();
      await ask('When do pears ripen?');
      await settled();
      const [, first] = await messages();
      expect(textOf(first as Message)).toBe('Answer 1.');
      expect(first?.parts.filter(({ type }) => type === 'source-document')).toHaveLength(1);

      await page.evaluate(() => globalThis.chat.regenerate());
      await settled();
      const [question, second, ...others] = await messages();
      expect([question?.role, textOf(second as Message), others]).toEqual(['user', 'Answer 2.', []]);
      const { turns } = await branches(await chatId());
      expect(turns.map(({ message_id }) => message_id)).toEqual([first?.id, second?.id]);
      expect(turns[1]?.siblings).toEqual([first?.id, second?.id]);
    });

    it('keeps the first version of an edited question as a branch, and continues in the new one', async () => {
      await visit();
      await ask('When do pears ripen?');
      await settled();
      await ask('And plums?');
      await settled();
      const [, , edited] = await messages();
      await ask('And apples?', edited?.id);
      await settled();
      await ask('And quinces?');
      await settled();
      expect((await messages()).map(textOf)).toEqual([
        ...['When do pears ripen?', 'Answer 1.', 'And apples?', 'Answer 3.', 'And quinces?', 'Answer 4.'],
      ]);
      const { turns } = await branches(await chatId());
      const question = (id: string | null | undefined) => turns.find(({ message_id }) => message_id === id)?.question;
      expect(turns.map((turn) => [turn.question, question(turn.parent_id)])).toEqual([
        ['When do pears ripen?', undefined],
        ['And plums?', 'When do pears ripen?'],
        ['And apples?', 'When do pears ripen?'],
        ['And quinces?', 'And apples?'],
      ]);
      const sent = llm.requests.at(-1)?.messages.map(({ content }) => content) ?? [];
      expect(sent.join('\n')).not.toContain('plums');
      expect(sent.join('\n')).toContain('apples');
    });

    it('edits the first question of a conversation', async () => {
      await visit();
      await ask('When do pears ripen?');
      await settled();
      const [edited] = await messages();
      await ask('When do plums ripen?', edited?.id);
      await settled();
      const { turns } = await branches(await chatId());
      expect(turns.map(({ parent_id }) => parent_id ?? null)).toEqual([null, null]);
    });

    it('stops the model within a second, and keeps what there is', async () => {
      llm.behaviour = goesOn;
      const before = llm.aborted;
      await visit();
      await ask('Tell me a long story');
      await page.waitForFunction(() => globalThis.chat.status === 'streaming' && globalThis.chat.messages.length === 2);
      await page.evaluate(() => globalThis.chat.stop());
      await until('the model is stopped', async () => llm.aborted > before, 1000);
      await settled();
      const { turns } = await ann.get<{ turns: { answer: object }[] }>(`/v1/api/conversations/${await chatId()}`);
      expect(turns[0]?.answer).toMatchObject({ finish_reason: 'cancelled', state: 'partial' });
    });

    it('finds nothing to resume in a new conversation, and in one whose answer is complete', async () => {
      const id = `chat-${version}-${Date.now()}`;
      await visit({ id, resume: '1' });
      await page.waitForTimeout(300);
      expect(await page.evaluate(() => [globalThis.chat.status, globalThis.chat.error?.message])).toEqual([
        'ready',
        undefined,
      ]);
      await ask('When do pears ripen?');
      await settled();
      await visit({ id, resume: '1' });
      await page.waitForTimeout(300);
      expect(await page.evaluate(() => globalThis.chat.status)).toBe('ready');
    });

    it('shows an error as a sentence', async () => {
      await visit({ token: 'nonsense' });
      await ask('When do pears ripen?');
      await settled();
      expect(await page.evaluate(() => globalThis.chat.error?.message)).toBe('The token is malformed; sign in again.');
    });

    it('shows thinking as a part of its own', async () => {
      llm.behaviour = (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' });
        reply.end(chunk('<think>Hm.</think>In September.') + END);
      };
      await visit();
      await ask('When do pears ripen?');
      await settled();
      const [, answer] = await messages();
      expect(textOf(answer as Message)).toBe('In September.');
      expect(answer?.parts.find(({ type }) => type === 'reasoning')?.text).toBe('Hm.');
    });
  });

  describe('after a reload, where answers outlive their reader', () => {
    beforeAll(async () => {
      await caudex.kill('backend', 'SIGTERM');
      await caudex.launch('backend', { CAUDEX__CHAT__CLIENT_DETACHED_MS: '10000' });
    }, 60_000);

    it.each([5, 6, 7])(
      'goes on with the answer (AI SDK %i)',
      async (version) => {
        const server = await serve(version);
        const page = await browser.newPage();
        const id = `chat-reload-${version}-${Date.now()}`;
        const query = new URLSearchParams({
          api: `${caudex.url}/v1/api/chat`,
          token: ann.token,
          project,
          id,
          resume: '1',
        });
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?${query}`;
        llm.behaviour = async (_request, reply) => {
          reply.writeHead(200, { 'content-type': 'text/event-stream' });
          for (const word of ['In ', 'the ', 'month ', 'of ', 'September.']) {
            reply.write(chunk(word));
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
          reply.end(END);
        };
        await page.goto(url);
        await page.waitForFunction(() => 'chat' in globalThis);
        await page.evaluate(() => void globalThis.chat.sendMessage({ text: 'When do pears ripen?' }));
        await page.waitForFunction(() => globalThis.chat.messages.length === 2);
        await page.goto(url);
        await page.waitForFunction(() => globalThis.chat?.status === 'ready' && globalThis.chat.messages.length > 0);
        const [answer] = await page.evaluate((): Message[] => globalThis.chat.messages);
        expect(textOf(answer as Message)).toBe('In the month of September.');
        await page.close();
        server.close();
      },
      30_000,
    );
  });
});
