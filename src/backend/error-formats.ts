import type { FastifyInstance } from 'fastify';
import { isUiRequest, writeUiError } from './chat/ui-error.js';
import { isOpenAiPath, writeOpenAiError } from './openai/openai-error.js';

/** Errors that clients of other protocols understand, also those before a handler; all others get problem+json. */
export function useErrorFormats(fastify: FastifyInstance): void {
  fastify.decorate('problemWriter', (request) => {
    if (isOpenAiPath(request.url)) return writeOpenAiError;
    return isUiRequest(request) ? writeUiError : undefined;
  });
}
