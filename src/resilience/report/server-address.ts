/** Where a client sends its requests, in OpenTelemetry's words: the first of several addresses, empty without one. */
export interface ServerAddress {
  url: string | null;
  server_address: string;
  server_port: string;
}

export function addressOf({ url }: { url: string | null }): ServerAddress {
  if (url === null) return { url, server_address: '', server_port: '' };
  const { hostname, port, protocol } = new URL(url.split(',')[0] ?? url);
  return { url, server_address: hostname, server_port: port || (protocol === 'https:' ? '443' : '80') };
}
