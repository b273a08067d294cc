import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Project } from '../../filesystem.contract.js';
import type { ProjectState } from './project-state.js';

export interface ProjectChange {
  name?: string | undefined;
  instructions?: string | undefined;
}

/** Projects, and the tombstones of those that were deleted. */
export abstract class ProjectStore {
  abstract find(key: ProjectKey): Promise<Project | 'deleted' | undefined>;

  /** Without the counts of its contents, because it is read for every document, turn and search. */
  abstract state(key: ProjectKey): Promise<ProjectState>;

  /** Does nothing where the id was used before. @throws Problem 507 `quota_exceeded` */
  abstract add(key: ProjectKey, name: string): Promise<void>;

  /** Undefined fields stay unchanged. Does nothing where the project was deleted. */
  abstract update(key: ProjectKey, change: ProjectChange): Promise<void>;

  /** Newest first. */
  abstract list(userId: string, limit: number, offset: number): Promise<{ projects: Project[]; total: number }>;

  /** Removes the project with all its data; its id stays used. False where the project never existed. */
  abstract delete(key: ProjectKey): Promise<boolean>;
}
