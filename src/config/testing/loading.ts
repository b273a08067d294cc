import type { Config } from '../config.schema.js';
import { ConfigError, configDir, loadConfig } from '../config.loader.js';

/** The project's configuration with these environment variables. */
export const load = (env: Record<string, string>): Config => loadConfig({ NODE_ENV: 'test', ...env }, configDir({}));

/** Why the configuration is refused; empty where it is accepted. */
export function problems(env: Record<string, string>): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
