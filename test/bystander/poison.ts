import { type Caudex, Person } from '../system/caudex.js';

/** Whom and what a poison may use. */
export interface Stage {
  caudex: Caudex;
  /** Somebody with an account. */
  attacker: Person;
  /** Of the attacker. */
  project: string;
  /** Somebody without an account. */
  stranger: Person;
  /** A folder that imports are allowed from. */
  repositories: string;
}

/** Somebody without an account, from an address of their own. */
export class Stranger extends Person {
  override request(...[method, path, body, headers]: Parameters<Person['request']>): Promise<Response> {
    return super.request(method, path, body, { 'x-forwarded-for': '198.51.100.66', ...headers });
  }
}

/** One unfortunate or hostile thing that somebody does. A file in `poison/` exports one as `poison`. */
export interface Poison {
  /** What it is, for the table in docs/faults.md. */
  name: string;
  /** What goes wrong without the guard. */
  against: string;
  /** Makes what is to be sent: before anybody looks, since it may take this process a while. */
  prepare?(stage: Stage): void;
  /** Sends it all, and resolves when that was answered, whatever the answers were. */
  send(stage: Stage): Promise<unknown>;
}

/** Sends requests that may be refused or fail: it is the others who must not notice. */
export function all(requests: readonly Promise<unknown>[]): Promise<unknown> {
  return Promise.allSettled(
    requests.map(async (request) => {
      const answer = await request;
      if (answer instanceof Response) await answer.arrayBuffer();
    }),
  );
}

export const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
export const JSON_TYPE = { 'content-type': 'application/json' };

export function put({ attacker, project }: Stage, path: string, body: string | Uint8Array<ArrayBuffer>, type: string) {
  return attacker.request('PUT', `/v1/api/projects/${project}/documents/${path}`, body, { 'content-type': type });
}
