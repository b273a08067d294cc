import { LRUCache } from 'lru-cache';
import { NamedDocuments } from '../../../../text/named-documents.js';
import type { ProjectKey } from '../project-key.js';

const MAX_PROJECTS = 20;

/** The {@link NamedDocuments} of the projects that were used last. */
export class DocumentNames {
  private readonly projects = new LRUCache<string, NamedDocuments>({ max: MAX_PROJECTS });

  /** @param pathsOf the paths of all existing documents of a project */
  constructor(private readonly pathsOf: (project: ProjectKey) => Iterable<string>) {}

  find(project: ProjectKey, name: string, from: string): string | undefined {
    let names = this.projects.get(nameOf(project));
    if (names === undefined) {
      names = new NamedDocuments(this.pathsOf(project));
      this.projects.set(nameOf(project), names);
    }
    return names.find(name, from);
  }

  /** Records that a document was written or deleted. */
  changed(project: ProjectKey, path: string, isThere: boolean): void {
    const names = this.projects.get(nameOf(project));
    if (isThere) names?.add(path);
    else names?.delete(path);
  }
}

const nameOf = ({ userId, projectId }: ProjectKey) => `${userId}/${projectId}`;
