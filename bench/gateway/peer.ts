// The usual gateway: Express with axios on a keep-alive agent behind an opossum breaker.
import { Agent } from 'node:http';
import axios from 'axios';
import express from 'express';
import CircuitBreaker from 'opossum';

const [port, stub] = process.argv.slice(2) as [string, string];
const client = axios.create({
  baseURL: stub,
  httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }),
  timeout: 15_000,
});
const breaker = new CircuitBreaker(async (body: unknown) => (await client.post<object>('/query', body)).data, {
  timeout: 15_000,
  errorThresholdPercentage: 50,
  resetTimeout: 60_000,
});

const app = express();
app.use(express.json());
app.post('/v1/api/search', (request, reply, next) => {
  const { query, project_id, limit } = request.body as Record<string, unknown>;
  void breaker
    .fire({ query, project_id, limit, offset: 0, mode: 'hybrid' })
    .then((found) => reply.json({ ...found, degraded: false, degradation: [] }))
    .catch(next);
});
app.listen(Number(port), '127.0.0.1');
