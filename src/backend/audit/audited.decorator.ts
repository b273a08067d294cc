import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common';
import { AUDITED } from '../call/audited.js';
import { AuditInterceptor } from './audit.interceptor.js';

/**
 * Writes the calls of a handler to the audit log, under the name of an action such as `key.create`. The interceptor is not
 * global: it would cost every other call a chain of observables.
 */
export const Audited = (action: string) =>
  applyDecorators(SetMetadata(AUDITED, action), UseInterceptors(AuditInterceptor));
