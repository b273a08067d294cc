import { Injectable } from '@nestjs/common';
import { badRequest, Problem } from '../../../../http/problem.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Project } from '../../filesystem.contract.js';
import { DocumentFiles } from '../files/document-files.js';
import { noProject, requireThere } from './project-state.js';
import { type ProjectChange, ProjectStore } from './project-store.js';

const MAX_NAME_CHARS = 200;

@Injectable()
export class ProjectsService {
  constructor(
    private readonly projects: ProjectStore,
    private readonly files: DocumentFiles,
  ) {}

  /** @throws Problem 400 `invalid_name`, 409 `project_exists`, 410 `deleted` */
  async create(key: ProjectKey, name: string): Promise<Project> {
    checkName(name);
    await this.projects.add(key, name);
    await this.requireWritable(key);
    const project = await this.get(key);
    if (project.name === name) return project;
    throw new Problem({
      status: 409,
      code: 'project_exists',
      detail: `There is a project with the id ${key.projectId} already; its name is "${project.name}".`,
    });
  }

  /** @throws Problem 400 `invalid_name`, 404, 410 `deleted` */
  async update(key: ProjectKey, change: ProjectChange): Promise<Project> {
    if (change.name !== undefined) checkName(change.name);
    await this.requireWritable(key);
    await this.projects.update(key, change);
    return this.get(key);
  }

  list(userId: string, limit: number, offset: number) {
    return this.projects.list(userId, limit, offset);
  }

  /** @throws Problem 404 */
  async get(key: ProjectKey): Promise<Project> {
    const project = await this.projects.find(key);
    if (project === undefined || project === 'deleted') throw noProject(key.projectId);
    return project;
  }

  /** @throws Problem 404 */
  async requireReadable(key: ProjectKey): Promise<void> {
    if ((await this.projects.state(key)) !== 'there') throw noProject(key.projectId);
  }

  /** @throws Problem 404; 410 `deleted` */
  async requireWritable(key: ProjectKey): Promise<void> {
    requireThere(key.projectId, await this.projects.state(key));
  }

  async delete(key: ProjectKey): Promise<boolean> {
    const existed = await this.projects.delete(key);
    // After a crash before this, the next sweep removes the files, because no row names them.
    await this.files.removeProject(key);
    return existed;
  }
}

function checkName(name: string): void {
  const characters = [...name].length;
  const fault =
    name.trim() === ''
      ? 'it is empty'
      : characters > MAX_NAME_CHARS
        ? `it has ${characters} characters; at most ${MAX_NAME_CHARS} are taken`
        : /\p{Cc}/u.test(name)
          ? 'it holds a control character; a name is one line of text'
          : !name.isWellFormed()
            ? 'it is not valid Unicode'
            : undefined;
  if (fault !== undefined) throw badRequest('invalid_name', `name: ${fault}`);
}
