import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LlmRequest {
  model: string;
  messages: { role: string; content: string }[];
  stream: boolean;
}
type Behaviour = (request: LlmRequest, reply: ServerResponse) => void | Promise<void>;

/** A stand-in for a hosted model: it speaks the OpenAI protocol, and the test sets its behaviour. */
export class FakeLlm {
  readonly requests: LlmRequest[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** The number of answers whose client disconnected. */
  aborted = 0;
  behaviour: Behaviour = says('An answer [1].');
  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeLlm> {
    const server = createServer();
    const llm = new FakeLlm(server);
    server.on('request', (request: IncomingMessage, reply: ServerResponse) => void llm.answer(request, reply));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return llm;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    reply.on('close', () => {
      if (!reply.writableFinished) this.aborted += 1;
    });
    if (request.method !== 'POST') {
      reply.writeHead(404).end();
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as LlmRequest;
    this.requests.push(body);
    this.headers.push(request.headers);
    await this.behaviour(body, reply);
  }
}

export function chunk(text: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`;
}

export const END = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 7 } })}\n\ndata: [DONE]\n\n`;

export function says(text: string): Behaviour {
  return (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of text.split(/(?<= )/)) reply.write(chunk(word));
    reply.end(END);
  };
}

/** Like {@link says}, with a pause after each word. */
export function saysSlowly(text: string, stepMs: number): Behaviour {
  return async (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of text.split(/(?<= )/)) {
      reply.write(chunk(word));
      await new Promise((resolve) => setTimeout(resolve, stepMs));
    }
    reply.end(END);
  };
}

/** Like an endpoint that never streams. */
export function saysAtOnce(content: string | null): Behaviour {
  return (_request, reply) => {
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.end(
      JSON.stringify({
        object: 'chat.completion',
        choices,
        usage: { prompt_tokens: 90, completion_tokens: 8, total_tokens: 98 },
      }),
    );
  };
}
