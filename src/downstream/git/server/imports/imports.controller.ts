import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import type { EndpointRequest } from '../../../../contract/endpoint.js';
import { gitContract } from '../../git.contract.js';
import { ImportsService } from './imports.service.js';

type Request<K extends keyof typeof gitContract> = EndpointRequest<(typeof gitContract)[K]>;

const keyOf = ({ userId }: Caller, { project_id }: { project_id: string }) => ({ userId, projectId: project_id });

@Controller()
export class ImportsController {
  constructor(private readonly imports: ImportsService) {}

  @Implements(gitContract.startImport)
  start(@CallerOf() caller: Caller, @Input() { params, body }: Request<'startImport'>) {
    return this.imports.start(keyOf(caller, params), body);
  }

  @Implements(gitContract.importedFiles)
  files(@CallerOf() caller: Caller, @Input() { params, query }: Request<'importedFiles'>) {
    const files = this.imports.files(keyOf(caller, params), params.import_id);
    return { files: files.slice(query.offset, query.offset + query.limit), total: files.length };
  }
}
