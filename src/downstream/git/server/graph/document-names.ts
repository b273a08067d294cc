import { posix } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { ProjectKey } from '../project-key.js';

const MAX_PROJECTS = 20;
const MARKDOWN = /\.(?:md|markdown)$/i;

/** Finds documents by name in any folder, as a wiki link such as `[[Plan]]` or `[[notes/Plan]]` names them. */
export class DocumentNames {
  /** For each project: paths by the key that {@link keyOf} makes of them. */
  private readonly projects = new LRUCache<string, Map<string, Set<string>>>({ max: MAX_PROJECTS });

  /** @param pathsOf the paths of all existing documents of a project */
  constructor(private readonly pathsOf: (project: ProjectKey) => Iterable<string>) {}

  /** The document nearest to the one with the link: one in the same folder, else the one with the shortest path. */
  find(project: ProjectKey, name: string, from: string): string | undefined {
    const wanted = spelled(name);
    const paths = [...(this.namesOf(project).get(keyOf(name)) ?? [])].filter((path) => endsWith(spelled(path), wanted));
    const folder = posix.dirname(from);
    return (
      paths.find((path) => posix.dirname(path) === folder) ??
      paths.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0]
    );
  }

  /** Records that a document was written or deleted. */
  changed(project: ProjectKey, path: string, isThere: boolean): void {
    const names = this.projects.get(nameOf(project));
    if (names === undefined) return;
    if (isThere) add(names, path);
    else names.get(keyOf(path))?.delete(path);
  }

  private namesOf(project: ProjectKey): Map<string, Set<string>> {
    let names = this.projects.get(nameOf(project));
    if (names === undefined) {
      names = new Map();
      for (const path of this.pathsOf(project)) add(names, path);
      this.projects.set(nameOf(project), names);
    }
    return names;
  }
}

/** The common key of a wiki link and its document: the file name without its folder and `.md`. */
export const keyOf = (path: string) => posix.basename(spelled(path));

const spelled = (path: string) => path.trim().normalize('NFC').toLowerCase().replace(MARKDOWN, '');
const endsWith = (path: string, name: string) => path === name || path.endsWith(`/${name}`);
const nameOf = ({ userId, projectId }: ProjectKey) => `${userId}/${projectId}`;

function add(names: Map<string, Set<string>>, path: string): void {
  const key = keyOf(path);
  const paths = names.get(key) ?? new Set();
  paths.add(path);
  names.set(key, paths);
}
