import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { filesystemContract as contract } from '../../filesystem.contract.js';
import { ProjectsService } from './projects.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = EndpointOutput<(typeof contract)[K]>;

@Controller()
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Implements(contract.createProject)
  create(
    @CallerOf() { userId }: Caller,
    @Input() { body }: Request<'createProject'>,
  ): Promise<Answer<'createProject'>> {
    return this.projects.create({ userId, projectId: body.project_id }, body.name);
  }

  @Implements(contract.listProjects)
  list(@CallerOf() { userId }: Caller, @Input() { query }: Request<'listProjects'>): Promise<Answer<'listProjects'>> {
    return this.projects.list(userId, query.limit, query.offset);
  }

  @Implements(contract.getProject)
  get(@CallerOf() { userId }: Caller, @Input() { params }: Request<'getProject'>): Promise<Answer<'getProject'>> {
    return this.projects.get({ userId, projectId: params.project_id });
  }

  @Implements(contract.updateProject)
  update(
    @CallerOf() { userId }: Caller,
    @Input() { params, body }: Request<'updateProject'>,
  ): Promise<Answer<'updateProject'>> {
    return this.projects.update({ userId, projectId: params.project_id }, body);
  }

  @Implements(contract.deleteProject)
  async delete(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'deleteProject'>,
  ): Promise<Answer<'deleteProject'>> {
    return { deleted: await this.projects.delete({ userId, projectId: params.project_id }) };
  }
}
