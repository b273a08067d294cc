import type { ServiceName } from '../config/config.schema.js';
import { DownstreamError } from './downstream-error.js';

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset',
  EPIPE: 'Connection reset',
  UND_ERR_SOCKET: 'Connection reset',
  ECONNABORTED: 'Connection aborted',
  ENOTFOUND: 'Host not found',
  EAI_AGAIN: 'Host name lookup failed',
  EHOSTUNREACH: 'Host unreachable',
  ENETUNREACH: 'Network unreachable',
  ETIMEDOUT: 'Connect timeout',
  UND_ERR_CONNECT_TIMEOUT: 'Connect timeout',
  UND_ERR_CLOSED: 'Connection closed',
  UND_ERR_DESTROYED: 'Connection closed',
};

/** An answer that HTTP itself cannot make sense of. */
const GARBAGE = /^HPE_|^UND_ERR_(RES_|RESPONSE|HEADERS_OVERFLOW)/;

/** Makes sense of what the wire threw, once; what is neither of the wire nor ours is a bug and given back. */
export function wireError(service: ServiceName, error: unknown): unknown {
  if (error instanceof DownstreamError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return error;
  if (GARBAGE.test(code)) {
    return new DownstreamError({ service, reason: 'protocol', message: `not an HTTP answer (${code})`, cause: error });
  }
  const message =
    WORDS[code] ?? (/^E[A-Z]+$|^ERR_(SSL|TLS)|CERT/.test(code) ? `Connection failed (${code})` : undefined);
  if (message === undefined) return error;
  return new DownstreamError({ service, reason: 'unreachable', message, cause: error });
}
