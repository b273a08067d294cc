import type { Person } from '../system/caudex.js';

interface StoredTurn {
  message_id: string;
  question: string;
  answer: { state: string; text: string };
}

/** Every stored turn of a person, in all conversations and branches. */
export async function turnsOf(person: Person): Promise<StoredTurn[]> {
  const ids: string[] = [];
  for (let total = 1; ids.length < total;) {
    const page = await person.get<{ conversations: { conversation_id: string }[]; total: number }>(
      `/v1/api/conversations?limit=1000&offset=${ids.length}`,
    );
    ids.push(...page.conversations.map(({ conversation_id }) => conversation_id));
    total = page.total;
  }
  const turns: StoredTurn[] = [];
  for (const id of ids) {
    turns.push(...(await person.get<{ turns: StoredTurn[] }>(`/v1/api/conversations/${id}?branch=all`)).turns);
  }
  return turns;
}

/** The message of every charge of a person. */
export async function chargesOf(person: Person): Promise<string[]> {
  const { rows } = await person.get<{ rows: { kind: string; message_id: string }[] }>(
    '/v1/api/billing/usage?limit=1000',
  );
  return rows.filter(({ kind }) => kind === 'capture').map(({ message_id }) => message_id);
}

/** The paths of all documents of a project. */
export async function pathsOf(person: Person, project: string): Promise<string[]> {
  const { documents } = await person.get<{ documents: { path: string }[] }>(
    `/v1/api/projects/${project}/documents?limit=1000`,
  );
  return documents.map(({ path }) => path);
}

/** Every version of every document of a project. */
export async function historyOf(person: Person, project: string): Promise<{ version: string; path: string }[]> {
  const { versions } = await person.get<{ versions: { version: string; path: string }[] }>(
    `/v1/api/projects/${project}/history?limit=1000`,
  );
  return versions;
}

/** The values that occur more than once. */
export const repeated = (values: readonly string[]) => values.filter((value, n) => values.indexOf(value) !== n);
