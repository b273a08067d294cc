import { posix } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { ProjectKey } from '../project-key.js';

const MAX_PROJECTS = 20;
const MARKDOWN = /\.(?:md|markdown)$/i;

/** Finds documents by their names, as a wiki link such as `[[Plan]]` or `[[notes/Plan]]` does, wherever they lie. */
export class DocumentNames {
  /** By project: paths by the name that {@link keyOf} makes of them. */
  private readonly projects = new LRUCache<string, Map<string, Set<string>>>({ max: MAX_PROJECTS });

  /** @param pathsOf the paths of all documents of a project that are there */
  constructor(private readonly pathsOf: (project: ProjectKey) => Iterable<string>) {}

  /** The document nearest to the one with the link: in its folder, else the one with the shortest path. */
  find(project: ProjectKey, name: string, from: string): string | undefined {
    const wanted = spelled(name);
    const paths = [...(this.namesOf(project).get(keyOf(name)) ?? [])].filter((path) => endsWith(spelled(path), wanted));
    const folder = posix.dirname(from);
    return (
      paths.find((path) => posix.dirname(path) === folder) ??
      paths.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0]
    );
  }

  /** A document was written or deleted. */
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

/** What a wiki link and the document it means have in common: the file name without its folder and `.md`. */
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
