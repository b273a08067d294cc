import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent, Pool, ProxyAgent, setGlobalDispatcher } from 'undici';
import type { ClientName, Config, ModelRequest, ProxySettings } from '../../config/config.schema.js';
import { requestOf } from '../../config/llm-models.js';

/** This machine: no proxy leads there. */
const HERE = 'localhost,127.0.0.1,::1';

/** How a place outside is reached. */
export interface Route {
  proxy: ProxySettings;
  /** For this place alone; null: as `proxy` says; `none`: directly. */
  own: ModelRequest['proxy'];
  /** A file of certificate authorities that are trusted beside the usual ones. */
  caFile: string | null;
}

/** How a model's endpoint is reached. */
export function routeTo(config: Config, model: ClientName): Route {
  const { proxy: own, ca_file: caFile } = requestOf(config, model);
  return { proxy: config.proxy, own, caFile };
}

const DIRECT: Route = { proxy: { http: null, https: null, no_proxy: '' }, own: 'none', caFile: null };

/**
 * The connections to one origin. Only connecting has a time limit here, the policies have the others.
 * @param servername the name in the server's certificate, where `origin` has an IP address
 */
export function dispatcherTo(
  origin: string,
  connectTimeoutMs: number,
  route: Route = DIRECT,
  servername?: string,
): Dispatcher {
  const { proxy, own, caFile } = route;
  const tls = caFile === null ? {} : { ca: [...rootCertificates, readFileSync(caFile, 'utf8')] };
  const limits = { headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  const connect = { timeout: connectTimeoutMs, ...tls, ...(servername !== undefined && { servername }) };
  const proxied = { ...limits, connect, requestTls: connect, proxyTls: { timeout: connectTimeoutMs } };
  if (own !== null && own !== 'none') return new ProxyAgent({ ...proxied, uri: own });
  if (own === 'none' || !isSet(proxy)) return new Pool(origin, { ...limits, connect });
  return new EnvHttpProxyAgent({ ...proxied, ...environment(proxy) });
}

/** Sends the `fetch` of this process through the proxy that is configured. */
export function routeFetch(proxy: ProxySettings): void {
  if (isSet(proxy)) setGlobalDispatcher(new EnvHttpProxyAgent(environment(proxy)));
}

const isSet = ({ http, https }: ProxySettings) => http !== null || https !== null;

/** With empty values undici does not look for the variables itself. */
function environment({ http, https, no_proxy }: ProxySettings) {
  return { httpProxy: http ?? '', httpsProxy: https ?? '', noProxy: [HERE, no_proxy].filter(Boolean).join(',') };
}
