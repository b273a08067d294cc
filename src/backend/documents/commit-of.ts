import type { UserCall } from '../call/public-call.js';

/** The commit of a change that its caller makes now. @param verb what its message says of the document */
export const commitOf = ({ user }: Pick<UserCall, 'user'>, path: string, version: string, verb: string) => ({
  path,
  version,
  author: { name: user.email, email: user.email },
  message: `${verb} ${path}`,
  committed_at: new Date().toISOString(),
});
