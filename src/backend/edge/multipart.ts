import type { FastifyRequest } from 'fastify';
import { badRequest, Problem } from '../../http/problem.js';

export interface MultipartFile {
  filename: string;
  mimetype: string;
  bytes: Buffer;
}

const FILES = Symbol('files');
type WithFiles = FastifyRequest & { [FILES]?: Promise<MultipartFile[]> };

/** The files of a multipart body, read once for all callers. @throws Problem 400 where the body is not multipart */
export function bufferedFiles(request: FastifyRequest): Promise<MultipartFile[]> {
  return ((request as WithFiles)[FILES] ??= readAll(request));
}

async function readAll(request: FastifyRequest): Promise<MultipartFile[]> {
  const files: MultipartFile[] = [];
  for await (const file of filesIn(request)) files.push(file);
  return files;
}

/**
 * The files of a multipart body, one after the other.
 * @throws Problem 400 where the body is not multipart, or is cut off
 */
export async function* filesIn(
  request: FastifyRequest,
  ...options: Parameters<FastifyRequest['files']>
): AsyncGenerator<MultipartFile> {
  try {
    for await (const part of request.files(...options)) {
      yield { filename: part.filename, mimetype: part.mimetype, bytes: await part.toBuffer() };
    }
  } catch (error) {
    if (error instanceof Problem || (error as { statusCode?: number }).statusCode !== undefined) throw error;
    throw badRequest('invalid_multipart', `body: this is not multipart/form-data: ${(error as Error).message}`);
  }
}
