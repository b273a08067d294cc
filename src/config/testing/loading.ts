import type { Config } from '../config.schema.js';
import { ConfigError, configDir, loadConfig } from '../config.loader.js';

/** The project's own configuration, as these variables change it. */
export const load = (env: Record<string, string>): Config => loadConfig({ NODE_ENV: 'test', ...env }, configDir({}));

/** Why it is refused; nothing where it isn't. */
export function problems(env: Record<string, string>): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
