import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  Injectable,
  type NestInterceptor,
  RequestMapping,
  RequestMethod,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { ZodError, ZodType } from 'zod';
import type { Endpoint } from '../contract/endpoint.js';
import { remainingMs } from './caller.js';
import { Problem } from './problem.js';

const endpoints = new WeakMap<object, Endpoint>();

/** Routes a controller's method by its contract and holds its answer to it. */
export function Implements(endpoint: Endpoint): MethodDecorator {
  return applyDecorators(
    RequestMapping({ method: RequestMethod[endpoint.method], path: endpoint.path }),
    HttpCode(endpoint.status ?? 200),
    UseInterceptors(ContractInterceptor),
    (_: object, __: string | symbol, descriptor: PropertyDescriptor) => {
      endpoints.set(descriptor.value as object, endpoint);
    },
  );
}

/** Injects `{params, query, body}`, checked by the contract; 400 `invalid_request` names every fault. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const endpoint = endpointOf(context);
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const errors: Fault[] = [];
  const part = (name: 'params' | 'query' | 'body', schema: ZodType | undefined) => {
    if (schema === undefined) return {};
    const parsed = schema.safeParse(request[name]);
    if (parsed.success) return { [name]: parsed.data };
    errors.push(...faults(name, parsed.error));
    return {};
  };
  const input = {
    ...part('params', endpoint.params),
    ...part('query', endpoint.query),
    ...part('body', endpoint.body),
  };
  if (errors.length > 0) throw invalidRequest(errors);
  return input;
});

export function faults(place: string, error: ZodError): Fault[] {
  return error.issues.flatMap((issue) => faultsOf(issue, [place]));
}

export interface Fault {
  /** Where the value stands, for instance `body.limit`. */
  path: string;
  detail: string;
}

/** The faults in one zod issue; each unknown field becomes a fault of its own. */
export function faultsOf(issue: StandardIssue, place: readonly string[] = []): Fault[] {
  const path = [...place, ...(issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))];
  const fields = (issue as { keys?: readonly string[] }).keys ?? [];
  if (fields.length > 0) return fields.map((field) => ({ path: [...path, field].join('.'), detail: issue.message }));
  return [{ path: path.join('.') || 'value', detail: issue.message }];
}

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export function invalidRequest(errors: readonly Fault[]): Problem {
  const detail = errors.map((error) => `${error.path}: ${error.detail}`).join('; ');
  return new Problem({ status: 400, code: 'invalid_request', detail, errors });
}

function endpointOf(context: ExecutionContext): Endpoint {
  const endpoint = endpoints.get(context.getHandler());
  if (endpoint === undefined)
    throw new Error(`${context.getClass().name}.${context.getHandler().name} lacks @Implements`);
  return endpoint;
}

/** Refuses a request whose deadline has passed, and checks each answer against the contract. */
@Injectable()
class ContractInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const remaining = remainingMs(context.switchToHttp().getRequest<FastifyRequest>());
    if (remaining !== undefined && remaining <= 0) {
      throw new Problem({
        status: 504,
        code: 'deadline',
        detail: 'The deadline of the request had passed before it arrived.',
      });
    }
    const { response } = endpointOf(context);
    return next.handle().pipe(map((answer) => response.parse(answer)));
  }
}
