import type { ClientName } from '../../config/config.schema.js';
import { DownstreamError } from '../policy/downstream-error.js';

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

/** Turns a connection error into a DownstreamError. Any other error is a bug and is returned unchanged. */
export function wireError(service: ClientName, error: unknown): unknown {
  if (error instanceof DownstreamError) return error;
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return new DownstreamError({ service, reason: 'protocol', message: 'not an HTTP answer', cause: error });
  }
  if (
    typeof code !== 'string' ||
    code === 'UND_ERR_INVALID_ARG' ||
    !/^(E[A-Z]|UND_ERR|ERR_(SSL|TLS)|[A-Z_]*CERT)/.test(code)
  ) {
    return error;
  }
  const message = WORDS[code] ?? `Connection failed (${code})`;
  return new DownstreamError({ service, reason: 'unreachable', message, cause: error });
}
