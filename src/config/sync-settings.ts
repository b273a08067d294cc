import { StartError } from './start-error.js';

/** What `caudex sync` needs to know of the server; it runs on a person's machine, without the server's configuration. */
export interface SyncSettings {
  /** Without a slash at the end. */
  url: string;
  apiKey: string;
}

const DEFAULT_URL = 'http://localhost:5000';

/** @throws StartError naming the variable that is missing or wrong */
export function syncSettings(env: NodeJS.ProcessEnv = process.env): SyncSettings {
  const url = env['CAUDEX_URL'] || DEFAULT_URL;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new StartError(`CAUDEX_URL: "${url}" is no address; one like ${DEFAULT_URL} is needed`);
  }
  const apiKey = env['CAUDEX_API_KEY'];
  if (!apiKey) {
    throw new StartError('CAUDEX_API_KEY is not set; make a key with the scopes read and write (POST /v1/api/keys)');
  }
  return { url: url.endsWith('/') ? url.slice(0, -1) : url, apiKey };
}
