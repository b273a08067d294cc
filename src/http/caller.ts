import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HEADER } from '../contract/endpoint.js';
import { badRequest } from './problem.js';

/** The caller of a downstream server, and how long it will wait. */
export interface Caller {
  /** Safe as the name of a folder: letters, digits, `_` and `-`. */
  userId: string;
  requestId: string;
  /** On the scale of `performance.now()`; `Infinity` without a deadline. */
  deadlineMs: number;
  idempotencyKey: string | undefined;
}

const USER_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** Injects the {@link Caller} of a request; 400 `user_id` where the header that names the user is missing or malformed. */
export const CallerOf = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const userId = text(request, HEADER.userId);
  if (userId === undefined || !USER_ID.test(userId)) {
    throw badRequest(
      'user_id',
      `${HEADER.userId}: ${userId === undefined ? 'the header is missing' : 'this is not a user id'}`,
    );
  }
  return {
    userId,
    requestId: request.id,
    deadlineMs: performance.now() + (remainingMs(request) ?? Infinity),
    idempotencyKey: text(request, HEADER.idempotencyKey),
  };
});

/** How many milliseconds the caller will still wait, as its header says. @throws Problem 400 where it says no number */
export function remainingMs(request: FastifyRequest): number | undefined {
  const value = text(request, HEADER.deadlineMs);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,15}(\.\d+)?$/.test(value)) {
    throw badRequest(
      'invalid_timeout',
      `${HEADER.deadlineMs}: ${JSON.stringify(value.slice(0, 100))} is no number of milliseconds`,
    );
  }
  return Number(value);
}

function text(request: FastifyRequest, header: string): string | undefined {
  const value = request.headers[header];
  return typeof value === 'string' ? value : undefined;
}
