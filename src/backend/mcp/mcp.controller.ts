import { Body, Controller, Delete, Get, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { ListsProjects, NeedsScope } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { McpTools } from './mcp-tools.service.js';

const INFO = { name: 'caudex', title: 'Caudex', version: '1' };
const INSTRUCTIONS =
  "The person's own documents, in projects. Search for passages or ask a question; each result names its document, which can be read whole or in part. A result with `degraded: true` was made while a service was away, and says which.";

/**
 * The Model Context Protocol over streamable HTTP, without sessions: each request is answered by a server of its own, so
 * any process can answer any request.
 */
@ApiExcludeController()
@NeedsScope('read')
@ListsProjects()
@Controller('mcp')
export class McpController {
  constructor(private readonly tools: McpTools) {}

  @Post()
  @Deadline('chat_ms')
  async post(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ): Promise<void> {
    const server = new McpServer(INFO, { instructions: INSTRUCTIONS });
    this.tools.register(server, call);
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    reply.raw.once('close', () => void server.close());
    await server.connect(transport);
    await transport.handleRequest(request.raw, reply.raw, body);
  }

  @Get()
  get(): never {
    throw noSession();
  }

  @Delete()
  delete(): never {
    throw noSession();
  }
}

const noSession = () =>
  new Problem({ status: 405, code: 'method_not_allowed', detail: 'There are no sessions here; POST each message.' });
