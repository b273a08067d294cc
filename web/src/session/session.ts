import { queryOptions } from '@tanstack/react-query';
import { ApiProblem, api, BackendAway, dataOf } from '../api/client.ts';
import { connection } from '../api/connection.ts';
import { queries } from '../api/queries.ts';
import type { User } from '../api/shapes.ts';
import { forgetDrafts } from './drafts.ts';

const LAST_PROJECT = 'caudex:project';
const LAST_USER = 'caudex:user';
const SIGNED_OUT = 'caudex:signed-out';

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async () => (await dataOf(api.GET('/v1/api/projects', { params: { query: { limit: 1000 } } }))).projects,
});

const userQuery = queryOptions({
  queryKey: ['user'],
  queryFn: async () => (await dataOf(api.GET('/v1/api/auth/check'))).user,
  staleTime: Infinity,
  retry: false,
});

/**
 * The signed-in user; null: none. While the backend or auth is unavailable, the user of the last session: the page then shows
 * what it can, and each refused call has its own message.
 */
export async function sessionUser(): Promise<User | null> {
  try {
    const user = await queries.ensureQueryData(userQuery);
    localStorage.setItem(LAST_USER, JSON.stringify(user));
    return user;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) {
      connection.signedIn();
      return null;
    }
    const kept = localStorage.getItem(LAST_USER);
    if (kept !== null && (error instanceof BackendAway || error instanceof ApiProblem)) return JSON.parse(kept) as User;
    if (error instanceof BackendAway || error instanceof ApiProblem) return null;
    throw error;
  }
}

/** The signed-in person as the last check said. */
export function currentUser(): User | null {
  const known = queries.getQueryData(userQuery.queryKey);
  if (known !== undefined) return known;
  const kept = localStorage.getItem(LAST_USER);
  return kept === null ? null : (JSON.parse(kept) as User);
}

export async function signIn(email: string, password: string): Promise<void> {
  const { user } = await dataOf(api.POST('/v1/api/auth/login', { body: { email, password } }));
  begin(user);
}

/** Makes the token of an external provider the session of this browser. */
export async function keepSession(token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const { user } = await dataOf(api.POST('/v1/api/auth/session', { headers }));
  begin(user);
}

function begin(user: User): void {
  const before = currentUser();
  if (before !== null && before.user_id !== user.user_id) forgetPerson();
  queries.setQueryData(userQuery.queryKey, user);
  localStorage.setItem(LAST_USER, JSON.stringify(user));
  localStorage.removeItem(SIGNED_OUT);
  connection.signedIn();
}

/** @param invitation null where none is needed */
export async function register(email: string, password: string, invitation: string | null): Promise<void> {
  const body = { email, password, ...(invitation === null ? {} : { invitation: invitation.trim() }) };
  await dataOf(api.POST('/v1/api/auth/register', { body }));
  await signIn(email, password);
}

export async function signOut(): Promise<void> {
  await dataOf(api.POST('/v1/api/auth/logout'));
  forgetPerson();
  localStorage.setItem(SIGNED_OUT, '1');
}

/**
 * Whether the last person on this device signed out. The issuer may still have a session of theirs, so the next sign-in asks it
 * for the password.
 */
export const wasSignedOut = () => localStorage.getItem(SIGNED_OUT) !== null;

/** Nothing of one person is left on the device for the next. */
function forgetPerson(): void {
  queries.clear();
  forgetDrafts();
  localStorage.removeItem(LAST_PROJECT);
  localStorage.removeItem(LAST_USER);
}

export const lastProjectUsed = () => localStorage.getItem(LAST_PROJECT);
export const rememberProject = (project: string) => localStorage.setItem(LAST_PROJECT, project);

/** The project to begin with: the one used last, or else the newest; null: there is none. */
export async function lastProject(): Promise<string | null> {
  const last = localStorage.getItem(LAST_PROJECT);
  const projects = await queries.ensureQueryData(projectsQuery).catch(() => undefined);
  if (projects === undefined) return last;
  if (projects.some(({ project_id }) => project_id === last)) return last;
  return projects[0]?.project_id ?? null;
}
