import { type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { ApiKey, KeyScope } from '../../downstream/auth/auth.contract.js';
import { Problem } from '../../http/problem.js';

const SCOPE = Symbol('scope');
const SESSION_ONLY = Symbol('session only');

/**
 * The scope that a key needs for a handler. Without it the method decides: GET needs read, every other method needs
 * write.
 */
export const NeedsScope = (scope: KeyScope) => SetMetadata(SCOPE, scope);

/** Marks a handler that no API key may call: a key that could create keys would outlive its revocation. */
export const SessionOnly = () => SetMetadata(SESSION_ONLY, true);

const LISTS_PROJECTS = Symbol('lists projects');
/** Marks a list of projects. A key for one project sees only that project in it. */
export const ListsProjects = () => SetMetadata(LISTS_PROJECTS, true);

/** @throws Problem 403 `key_scope` for a scope that the key lacks, or for another project than the key's own */
export function requireScope(key: ApiKey, context: ExecutionContext, reflector: Reflector): void {
  const targets = [context.getHandler(), context.getClass()];
  if (reflector.getAllAndOverride<boolean>(SESSION_ONLY, targets)) {
    throw forbidden('An API key cannot be used here; sign in.');
  }
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const needed = reflector.getAllAndOverride<KeyScope | undefined>(SCOPE, targets) ?? (isRead ? 'read' : 'write');
  const may = key.scopes.includes(needed) || (needed === 'read' && key.scopes.includes('write'));
  if (!may) throw forbidden(`The key ${JSON.stringify(key.name)} has no scope "${needed}"; it has ${listed(key)}.`);
  if (reflector.getAllAndOverride<boolean>(LISTS_PROJECTS, targets)) return;
  if (key.project_id !== null && projectOf(request) !== key.project_id) {
    throw forbidden(`The key ${JSON.stringify(key.name)} opens the project ${JSON.stringify(key.project_id)} only.`);
  }
}

const listed = ({ scopes }: ApiKey) => scopes.map((scope) => `"${scope}"`).join(', ');

const forbidden = (detail: string) => new Problem({ status: 403, code: 'key_scope', detail });

const MODEL = /^caudex:(.+)$/;

/** The project that a request names: in its path, its query, its body, or as an OpenAI model. */
function projectOf(request: FastifyRequest): string | undefined {
  const params = request.params as Record<string, unknown> | undefined;
  const query = request.query as Record<string, unknown> | undefined;
  const body = request.body as Record<string, unknown> | null | undefined;
  const named = [params?.['project_id'], query?.['project_id'], body?.['project_id']];
  for (const model of [params?.['model'], body?.['model']]) {
    if (typeof model === 'string') named.push(MODEL.exec(model)?.[1]);
  }
  named.push(request.headers['x-caudex-project']);
  const projects = new Set(named.filter((project) => typeof project === 'string'));
  return projects.size === 1 ? [...projects][0] : undefined;
}
