import { notFound, Problem } from '../../../../http/problem.js';

/** Undefined: the project never existed. */
export type ProjectState = 'there' | 'deleted' | undefined;

export const noProject = (projectId: string) => notFound(`There is no project ${JSON.stringify(projectId)}.`);

export const deleted = (what: string) =>
  new Problem({ status: 410, code: 'deleted', detail: `${what} was deleted; its id is not used again.` });

/** False where the project never existed. @throws Problem 410 `deleted` */
export function isThere(projectId: string, state: ProjectState): boolean {
  if (state === 'deleted') throw deleted(`The project ${projectId}`);
  return state === 'there';
}

/** @throws Problem 404; 410 `deleted` */
export function requireThere(projectId: string, state: ProjectState): void {
  if (!isThere(projectId, state)) throw noProject(projectId);
}
