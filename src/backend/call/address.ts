import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

/**
 * The origin of a request, for limits: the address of the client, or of the first proxy that is not trusted. For IPv6
 * it is the /64 prefix, which is usually assigned to one customer. An IPv4-mapped IPv6 address counts as the IPv4
 * address.
 */
export function addressOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const plain = ip.split('%')[0] ?? ip;
  if (!isIPv6(plain)) return plain;
  const mapped = /^(?:0{0,4}:){1,5}:?ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain);
  if (mapped?.[1] !== undefined) return mapped[1];
  return `${groupsOf(plain).slice(0, 4).join(':')}::/64`;
}

/** The eight groups of an address, without leading zeros. */
function groupsOf(ip: string): string[] {
  const [head = '', tail] = ip.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
