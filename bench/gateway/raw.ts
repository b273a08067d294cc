// The lower bound: a bare Node server that calls the stub through an undici pool.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, stub] = process.argv.slice(2) as [string, string];
const pool = new Pool(stub, { connections: 64 });

createServer((request, reply) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { query, project_id, limit } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    void pool
      .request({
        method: 'POST',
        path: '/query',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, project_id, limit, offset: 0, mode: 'hybrid' }),
      })
      .then(async (answer) => {
        const found = (await answer.body.json()) as object;
        reply.setHeader('content-type', 'application/json');
        reply.end(JSON.stringify({ ...found, degraded: false, degradation: [] }));
      });
  });
}).listen(Number(port), '127.0.0.1');
