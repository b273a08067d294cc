import { type ComponentType, lazy } from 'react';
import { connection } from '../api/connection.ts';

const TRIES = 4;
const FIRST_WAIT_MS = 300;

/**
 * Loads code. A failure is tried again as soon as the backend can be reached, because the connection may have broken meanwhile.
 * @throws the failure, where the backend can be reached and does not have the code, as after an update
 */
export async function persistently<T>(load: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await load();
    } catch (error) {
      if (tries >= TRIES) throw error;
      await connection.reachable();
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** (tries - 1)));
    }
  }
}

/** React's `lazy` for a connection that may break: React itself keeps the first failure for as long as the page is open. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as in the types of React: a component of any properties
export const lazily = <C extends ComponentType<any>>(load: () => Promise<{ default: C }>) =>
  lazy(() => persistently(load));
