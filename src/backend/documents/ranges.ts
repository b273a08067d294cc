import type { FastifyReply, FastifyRequest } from 'fastify';
import parseRange from 'range-parser';
import { Problem } from '../../http/problem.js';

/**
 * The part of a file that a request asks for (RFC 9110, 14), with its status and headers. Several parts at a time, and a part of
 * a state that is not the current one (`If-Range`), are answered with the whole file.
 * @throws Problem 416 for a part that lies behind the end
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
