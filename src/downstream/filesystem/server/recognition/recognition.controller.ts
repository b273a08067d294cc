import { Controller } from '@nestjs/common';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import { filesystemContract as contract } from '../../filesystem.contract.js';
import { RecognisedDocuments } from './recognised-documents.js';
import { RecognitionService } from './recognition.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = EndpointOutput<(typeof contract)[K]>;

@Controller()
export class RecognitionController {
  constructor(
    private readonly recognition: RecognitionService,
    private readonly recognised: RecognisedDocuments,
  ) {}

  @Implements(contract.recognised)
  async since(@Input() { query }: Request<'recognised'>): Promise<Answer<'recognised'>> {
    // The number first: a document that stops waiting in between is among those that follow.
    const pending = await this.recognition.pending();
    const { documents, untilMs, later } = await this.recognised.since(query.after_ms);
    return { documents, until_ms: untilMs, pending: pending + later };
  }

  @Implements(contract.recognition)
  progress(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'recognition'>,
  ): Promise<Answer<'recognition'>> {
    return this.recognition.progress({ userId, projectId: params.project_id });
  }
}
