import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** The output of `npm run build:web`. */
const BUILT_PAGE = join(import.meta.dirname, '../../../web/dist');

/** The paths of the page's own router. Every other unknown path stays a 404 problem. */
const PAGE_ROUTES = ['/', '/sign-in', '/projects', '/p/*', '/status', '/usage', '/keys'];

/**
 * Scripts, styles and calls of the page come from this host only; with OpenID Connect, calls also from the issuer. There is no `unsafe-inline`, and no string becomes
 * script, also not from a library: the one policy that `trusted-types` allows gives the address of the worker that draws
 * PDFs, whatever it is asked for.
 */
const contentSecurityPolicy = (issuer: string | undefined) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${issuer === undefined ? '' : ` ${new URL(issuer).origin}`}`,
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types pdf-worker',
  ].join('; ');

export interface PageOptions {
  dir?: string;
  /** The OpenID Connect issuer whose endpoints the page calls to sign people in. */
  issuer?: string | undefined;
}

/**
 * Serves the built page at `/`: hashed assets for a year, the document itself revalidated by its ETag, both compressed
 * at build time. A backend without a built page answers 404 there, as before.
 */
export async function servePage(app: FastifyInstance, { dir = BUILT_PAGE, issuer }: PageOptions): Promise<void> {
  if (!existsSync(join(dir, 'index.html'))) return;
  await app.register(fastifyStatic, {
    root: dir,
    prefix: '/',
    wildcard: false,
    index: false,
    preCompressed: true,
    globIgnore: ['**/*.br', '**/*.gz', 'index.html'],
    cacheControl: false,
    setHeaders: (reply, path) => {
      const hashed = path.includes(`${sep}assets${sep}`);
      void reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      // A worker takes the policy of its own file, and not that of the document.
      if (hashed) void reply.header('content-security-policy', "default-src 'self'");
    },
  });
  const policy = contentSecurityPolicy(issuer);
  for (const route of PAGE_ROUTES) {
    app.get(route, (_request, reply) => reply.header('content-security-policy', policy).sendFile('index.html'));
  }
}
