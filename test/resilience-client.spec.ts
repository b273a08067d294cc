import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { loadConfig } from '../src/config/config.loader.js';
import { CONFIG } from '../src/config/config.module.js';
import { LoggingModule } from '../src/http/logging.module.js';
import { ChromaClient } from '../src/downstream/chroma/chroma.client.js';
import { ChromaModule } from '../src/downstream/chroma/chroma.module.js';

@Module({ imports: [LoggingModule, ChromaModule] })
class App {}

describe('a client', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((req, res) => {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ removed: true, h: req.headers }));
    }).listen(0, '127.0.0.1');
    await new Promise((r) => server.once('listening', r));
  });
  afterAll(() => server.close());
  it('calls', async () => {
    const { port } = server.address() as AddressInfo;
    const config = loadConfig({ ...process.env, LOG_LEVEL: 'info', CHROMA_SERVER_URL: `http://127.0.0.1:${port}` });
    const app = await Test.createTestingModule({ imports: [App] })
      .overrideProvider(CONFIG)
      .useValue(config)
      .compile();
    const chroma = app.get(ChromaClient, { strict: false });
    expect(await chroma.remove({ body: { project_id: 'p', path: 'a' } }, { requestId: 'r' })).toEqual({
      removed: true,
    });
    await app.close();
  });
});
