import { pathFault } from '../../contract/document-path.js';
import { badRequest } from '../../http/problem.js';

/**
 * Normalises a path, because systems compose characters in different ways. This early check returns an error that names
 * the rule; the filesystem server makes the final check.
 */
export function documentPath(path: string): string {
  const name = path.normalize('NFC');
  const wrong = pathFault(name);
  if (wrong !== undefined) throw badRequest('invalid_path', `path: ${JSON.stringify(name.slice(0, 300))}: ${wrong}`);
  return name;
}
