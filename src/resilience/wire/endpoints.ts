import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../policy/clock.js';

/** One server of a service. */
export interface EndpointAddress {
  url: string;
  /** The IP address to connect to, where the name in the URL has several. */
  ip?: string;
}

export const endpointName = ({ url, ip }: EndpointAddress) => (ip === undefined ? url : `${url} (${ip})`);

/** The addresses in a list with commas. */
export const urlsOf = (list: string): string[] => list.split(',').map((url) => url.trim());

type Lookup = (hostname: string) => Promise<readonly { address: string; family: number }[]>;
const systemLookup: Lookup = (hostname) => lookup(hostname, { all: true });

/**
 * The endpoints of the listed URLs. A name with several addresses, such as that of a headless Kubernetes service, is
 * one endpoint for each of them. Names are looked up again every `everyMs`; after a failed lookup the last result stays.
 */
export class Endpoints {
  private readonly found = new Map<string, EndpointAddress[]>();
  private stop: (() => void) | undefined;
  private ended = false;

  constructor(
    private readonly urls: readonly string[],
    private readonly everyMs: number,
    private readonly clock: Clock,
    private readonly onChange: (endpoints: EndpointAddress[]) => void,
    private readonly resolve: Lookup = systemLookup,
  ) {
    if (urls.some(hasName)) void this.refresh();
  }

  get current(): EndpointAddress[] {
    return this.urls.flatMap((url) => this.found.get(url) ?? [{ url }]);
  }

  close(): void {
    this.ended = true;
    this.stop?.();
  }

  private async refresh(): Promise<void> {
    const before = this.current.map(endpointName).join();
    await Promise.all(this.urls.filter(hasName).map((url) => this.find(url)));
    if (this.ended) return;
    if (this.current.map(endpointName).join() !== before) this.onChange(this.current);
    this.stop = this.clock.after(this.everyMs, () => void this.refresh());
  }

  private async find(url: string): Promise<void> {
    try {
      const all = await this.resolve(new URL(url).hostname);
      // A server usually has an address of each family; those of one family are different servers.
      const ips = all.filter(({ family }) => family === all[0]?.family).map(({ address }) => address);
      this.found.set(url, ips.length > 1 ? ips.sort().map((ip) => ({ url, ip })) : [{ url }]);
    } catch {
      // A call reports the failure, with the name.
    }
  }
}

/** Whether these URLs can mean more than one endpoint: several URLs, or a name with several addresses. */
export const mayBeSeveral = (urls: readonly string[]): boolean => urls.length > 1 || urls.some(hasName);

function hasName(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname !== 'localhost' && isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
}
