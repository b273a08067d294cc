import type { FastifyReply, FastifyRequest } from 'fastify';
import parseRange from 'range-parser';
import { Problem } from '../../http/problem.js';

/**
 * The requested part of a file (RFC 9110, 14), with status and headers. A request for several parts, or for a part of
 * another state than the current one (`If-Range`), gets the whole file.
 * @throws Problem 416 for a part beyond the end
 */
export function partOf(content: Buffer, request: FastifyRequest, reply: FastifyReply): Buffer {
  void reply.header('accept-ranges', 'bytes');
  const { range, 'if-range': condition } = request.headers;
  const isGet = request.method === 'GET' || request.method === 'HEAD';
  if (range === undefined || !isGet || (condition !== undefined && condition !== reply.getHeader('etag')))
    return content;
  const ranges = parseRange(content.length, range);
  if (ranges === -1) {
    void reply.header('content-range', `bytes */${content.length}`);
    const detail = `range: ${JSON.stringify(range.slice(0, 100))} is not in this document; it has ${content.length} bytes`;
    throw new Problem({ status: 416, code: 'range_not_satisfiable', detail });
  }
  const [only, ...others] = ranges === -2 || ranges.type !== 'bytes' ? [] : ranges;
  if (only === undefined || others.length > 0) return content;
  void reply.status(206).header('content-range', `bytes ${only.start}-${only.end}/${content.length}`);
  return content.subarray(only.start, only.end + 1);
}
