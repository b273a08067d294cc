import { Injectable } from '@nestjs/common';
import { badRequest, notFound, Problem } from '../../../../http/problem.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Project } from '../../filesystem.contract.js';
import { DocumentFiles } from '../files/document-files.js';
import { type ProjectChange, ProjectStore } from './project-store.js';

const MAX_NAME_CHARS = 200;

@Injectable()
export class ProjectsService {
  constructor(
    private readonly projects: ProjectStore,
    private readonly files: DocumentFiles,
  ) {}

  /** @throws Problem 400 `invalid_name`, 409 `project_exists`, 410 `deleted` */
  create(key: ProjectKey, name: string): Project {
    checkName(name);
    this.projects.add(key, name);
    this.requireWritable(key);
    const project = this.get(key);
    if (project.name === name) return project;
    throw new Problem({
      status: 409,
      code: 'project_exists',
      detail: `There is a project with the id ${key.projectId} already; its name is "${project.name}".`,
    });
  }

  /** @throws Problem 400 `invalid_name`, 404, 410 `deleted` */
  update(key: ProjectKey, change: ProjectChange): Project {
    if (change.name !== undefined) checkName(change.name);
    this.requireWritable(key);
    this.projects.update(key, change);
    return this.get(key);
  }

  list(userId: string, limit: number, offset: number) {
    return this.projects.list(userId, limit, offset);
  }

  /** @throws Problem 404 */
  get(key: ProjectKey): Project {
    const project = this.projects.find(key);
    if (project === undefined || project === 'deleted')
      throw notFound(`There is no project ${JSON.stringify(key.projectId)}.`);
    return project;
  }

  /** @throws Problem 404 */
  requireReadable(key: ProjectKey): void {
    if (this.projects.state(key) !== 'there') throw notFound(`There is no project ${JSON.stringify(key.projectId)}.`);
  }

  /** @throws Problem 404; 410 `deleted` */
  requireWritable(key: ProjectKey): void {
    if (!this.isThere(key)) throw notFound(`There is no project ${JSON.stringify(key.projectId)}.`);
  }

  /** False where the project never existed. @throws Problem 410 `deleted` */
  isThere(key: ProjectKey): boolean {
    const state = this.projects.state(key);
    if (state === 'deleted') throw deleted(`The project ${key.projectId}`);
    return state === 'there';
  }

  async delete(key: ProjectKey): Promise<boolean> {
    const existed = this.projects.delete(key);
    // After a crash before this, the next start removes the files, because no row names them.
    await this.files.removeProject(key);
    return existed;
  }
}

export const deleted = (what: string) =>
  new Problem({ status: 410, code: 'deleted', detail: `${what} was deleted; its id is not used again.` });

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
