import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The response headers that a page of another origin may read. */
const EXPOSED_HEADERS = [
  'Age',
  'ETag',
  'Idempotent-Replayed',
  'Retry-After',
  'X-Caudex-Stale',
  'X-Request-Id',
  'X-Vercel-AI-UI-Message-Stream',
];
const PREFLIGHT_MAX_AGE_S = 600;

/**
 * Lets pages of these origins call the API with a token or key. Cookies are excluded, so that a foreign page never acts
 * for the user.
 */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.enableCors({
    origin: origins.includes('*') ? '*' : [...origins],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
}
