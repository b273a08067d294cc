import { SetMetadata } from '@nestjs/common';

export const AUDITED = Symbol('audited');

/** Marks a handler whose calls are written to the audit log, under the name of an action such as `key.create`. */
export const Audited = (action: string) => SetMetadata(AUDITED, action);

/** What a handler adds to the record of its call: ids and numbers, never a text of a person. */
export interface AuditFacts {
  /** The user who acts, where the call has no session. */
  actor?: string | undefined;
  objects?: Readonly<Record<string, string | number>>;
}
