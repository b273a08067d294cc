import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { leadsOutOf } from './repository-links.js';
import { badRequest, Problem } from '../../../../http/problem.js';

export interface ImportSource {
  /** The address that git fetches from. */
  address: string;
  protocol: 'file' | 'https';
}

/**
 * A repository that the configuration allows: `allowed` holds absolute paths and https:// URLs, each with everything
 * below it. Links are resolved before a path is compared.
 * @throws Problem 403 `import_not_allowed`, 400 `invalid_source`
 */
export async function allowedSource(source: string, allowed: readonly string[]): Promise<ImportSource> {
  if (source.startsWith('/')) return localSource(source, allowed);
  let url: URL;
  try {
    url = new URL(source);
  } catch {
    throw notAllowed(source);
  }
  if (url.protocol !== 'https:') throw notAllowed(source);
  if (url.username !== '' || url.password !== '') {
    throw badRequest('invalid_source', 'source: a URL with a user or a password in it is not taken');
  }
  const address = url.origin + url.pathname;
  const inside = allowed.filter(isUrl).some((prefix) => {
    const base = new URL(prefix);
    return url.origin === base.origin && isBelow(decodedPath(url), decodedPath(base), '/');
  });
  if (!inside) throw notAllowed(source);
  return { address, protocol: 'https' };
}

async function localSource(source: string, allowed: readonly string[]): Promise<ImportSource> {
  const real = await realpath(source).catch(() => null);
  const bases = await Promise.all(allowed.filter((one) => !isUrl(one)).map((one) => realpath(one).catch(() => null)));
  const inside = (path: string) => bases.some((base) => base !== null && isBelow(path, base, sep));
  // The answer must not reveal whether a path outside of the allowed ones exists.
  if (real === null || !inside(real)) throw notAllowed(source);
  const link = await leadsOutOf(real, inside);
  if (link === undefined) return { address: real, protocol: 'file' };
  throw new Problem({
    status: 403,
    code: 'import_not_allowed',
    detail: `source: the repository's ${JSON.stringify(link)} leads to a place that the operator does not allow (git.import_allowed)`,
  });
}

/** An encoded slash or dot must not make a path look different from what the server will read. */
function decodedPath({ pathname }: URL): string {
  try {
    return new URL(decodeURIComponent(pathname).replaceAll('\\', '/'), 'https://any').pathname;
  } catch {
    return '';
  }
}

const isUrl = (prefix: string) => prefix.startsWith('https://');

function isBelow(path: string, base: string, separator: string): boolean {
  const folder = base.endsWith(separator) ? base : base + separator;
  return path === base || path.startsWith(folder) || path + separator === folder;
}

function notAllowed(source: string): Problem {
  return new Problem({
    status: 403,
    code: 'import_not_allowed',
    detail: `source: ${JSON.stringify(source.slice(0, 200))} is not among the paths and https:// URLs that the operator allows (git.import_allowed)`,
  });
}
