import { type Caudex, Person } from '../system/caudex.js';

/** The accounts and resources that a poison may use. */
export interface Stage {
  caudex: Caudex;
  /** A user with an account. */
  attacker: Person;
  /** Of the attacker. */
  project: string;
  /** A client without an account. */
  stranger: Person;
  /** A folder that imports are allowed from. */
  repositories: string;
}

/** A client without an account, with its own network address. */
export class Stranger extends Person {
  override request(...[method, path, body, headers]: Parameters<Person['request']>): Promise<Response> {
    return super.request(method, path, body, { 'x-forwarded-for': '198.51.100.66', ...headers });
  }
}

/** One harmful input. Each file in `poison/` exports one as `poison`. */
export interface Poison {
  /** Its description in the table of docs/faults.md. */
  name: string;
  /** The fault that would occur without the guard. */
  against: string;
  /** Prepares the input. Called before the measurement, because it may occupy this process for some time. */
  prepare?(stage: Stage): void;
  /** Sends all requests and resolves when they were answered, whatever the answers are. */
  send(stage: Stage): Promise<unknown>;
}

/** Sends requests that may be refused or fail; only their effect on other users matters. */
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
