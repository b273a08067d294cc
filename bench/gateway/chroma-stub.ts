// A stand-in for the chroma server with little work of its own: one fixed valid answer to every request.
import { createServer } from 'node:http';

const passage = (chunk: number) => ({
  document: `notes/${chunk}.md`,
  chunk,
  title: 'Pears',
  text: 'Williams pears ripen in September. Store them cold and dark. '.repeat(8),
  start: 0,
  end: 488,
  highlights: ['Williams pears ripen in September.'],
  score: 1 / (chunk + 1),
});
const body = Buffer.from(
  JSON.stringify({ results: [0, 1, 2, 3, 4].map(passage), total: 5, source: 'hybrid', passages: 100 }),
);

const server = createServer((request, reply) => {
  request.resume().on('end', () => {
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    reply.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
