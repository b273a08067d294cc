import { Injectable } from '@nestjs/common';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { Project } from '../../../downstream/filesystem/filesystem.contract.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { UserCall } from '../../call/public-call.js';
import { badRequest } from '../../../http/problem.js';
import { idSchema } from '../../edge/schemas.js';
import { ProjectsService } from '../../projects/projects.service.js';
import { underFreeId } from './free-id.js';

/** Creates the projects of an exported account. */
@Injectable()
export class ImportedProjects {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly projects: ProjectsService,
  ) {}

  /** @returns the id that the project has here */
  async bring(given: Pick<Project, 'project_id' | 'name' | 'instructions'>, call: UserCall): Promise<string> {
    const { project_id: id, name, instructions } = given;
    if (!idSchema.safeParse(id).success) {
      throw badRequest('invalid_archive', `body: ${JSON.stringify(id)} is no project id`);
    }
    const project = await underFreeId({ userId: call.userId, id, kind: 'project' }, (project_id) =>
      this.filesystem.createProject({ body: { project_id, name } }, call).catch((error: unknown) => {
        // It has another name here.
        if (!(error instanceof DownstreamError && error.status === 409)) throw error;
        return this.filesystem.getProject({ params: { project_id } }, call);
      }),
    );
    if (project.instructions === '' && instructions !== '') {
      await this.projects.update(project.project_id, { instructions }, call);
    }
    return project.project_id;
  }
}
