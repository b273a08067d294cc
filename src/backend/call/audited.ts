/** The metadata of a handler whose calls are audited. */
export const AUDITED = Symbol('audited');

/** What a handler adds to the record of its call: ids and numbers, never a text of a person. */
export interface AuditFacts {
  /** The user who acts, where the call has no session. */
  actor?: string | undefined;
  objects?: Readonly<Record<string, string | number>>;
}
