import Fastify, { type FastifyInstance } from 'fastify';
import type { Config } from '../config/config.schema.js';
import { requireInternalToken } from './internal-token.js';

const TOKEN = '9f2c4e7ab81d03564f6e8a90b7c1d2e3';

function server(secrets: Partial<Config['secrets']>): FastifyInstance {
  const fastify = Fastify();
  requireInternalToken(fastify, { internal_service_token: TOKEN, llm_api_keys: [], ...secrets });
  fastify.get('/', () => 'let in');
  return fastify;
}

const statusOf = async (secrets: Partial<Config['secrets']>, token?: string) => {
  const headers = token === undefined ? {} : { 'x-internal-token': token };
  return (await server(secrets).inject({ method: 'GET', url: '/', headers })).statusCode;
};

it('accepts the current and the previous token', async () => {
  const previous = { internal_service_token_previous: 'the-one-before' };
  expect(await statusOf(previous, TOKEN)).toBe(200);
  expect(await statusOf(previous, 'the-one-before')).toBe(200);
  expect(await statusOf({}, 'the-one-before')).toBe(401);
});

it.each([
  ['is the current one', { internal_service_token: '' }],
  ['is the one before', { internal_service_token_previous: '' }],
])('rejects an empty token, also where an empty secret %s', async (_, secrets) => {
  expect(await statusOf(secrets, '')).toBe(401);
  expect(await statusOf(secrets)).toBe(401);
});
