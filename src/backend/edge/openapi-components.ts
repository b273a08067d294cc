import type { OpenAPIObject } from '@nestjs/swagger';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Schema = Record<string, unknown>;
interface Body {
  content?: Record<string, { schema?: unknown }>;
}
interface Operation {
  operationId: string;
  requestBody?: Body;
  responses: Record<string, Body>;
}

/** `x-` and other fields of a path that are not operations. */
const METHODS: ReadonlySet<string> = new Set(['get', 'put', 'post', 'delete', 'patch', 'head', 'options']);

/**
 * Names the shapes of an API document for client generators: every object with a title, and the bodies of requests and
 * answers, become components, each of them once.
 * @throws Error where two shapes have one title
 */
export function nameShapes(document: OpenAPIObject): void {
  const components = new Components();
  for (const path of Object.values(document.paths) as unknown as Record<string, Operation>[]) {
    for (const [method, operation] of Object.entries(path)) {
      if (!METHODS.has(method)) continue;
      const name = operation.operationId
        .replace('Controller_', '_')
        .replace(/(?:^|_)(.)/g, (_, sign: string) => sign.toUpperCase());
      // A field with a default is optional, but generators treat it as always present in a named schema.
      nameBody(operation.requestBody, undefined, components);
      for (const [status, answer] of Object.entries(operation.responses)) {
        nameBody(answer, status.startsWith('2') ? `${name}Answer` : undefined, components);
      }
    }
  }
  document.components = { ...document.components, schemas: components.schemas };
}

function nameBody(body: Body | undefined, name: string | undefined, components: Components): void {
  for (const media of Object.values(body?.content ?? {})) {
    if (media.schema !== undefined) media.schema = components.named(media.schema as Schema, name);
  }
}

class Components {
  readonly schemas: Schemas = {};

  /** The schema with named schemas replaced by references. `name`: the name of a schema without a title. */
  named(schema: Schema, name?: string): Schema {
    const { title = name, nullable, ...rest } = mapped(schema, (inner) => this.named(inner));
    if (typeof title !== 'string' || !isObject(rest)) {
      return { ...rest, ...(nullable === undefined ? {} : { nullable }) };
    }
    this.add(title, rest);
    const reference = { $ref: `#/components/schemas/${title}` };
    // OpenAPI 3.0 ignores fields next to a reference.
    return nullable === true ? { nullable, allOf: [reference] } : reference;
  }

  private add(title: string, schema: Schema): void {
    const known = this.schemas[title];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`OpenAPI: two shapes have the title ${title}; give each its own`);
    }
    this.schemas[title] = schema;
  }
}

const isObject = ({ type, properties }: Schema) => type === 'object' && properties !== undefined;

/** The schema with each nested schema replaced. */
function mapped(schema: Schema, replace: (inner: Schema) => Schema): Schema {
  const replaceAny = (value: unknown): unknown => (isPlain(value) ? replace(value) : value);
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties') {
        const fields = Object.entries(value as Schema).map(([field, inner]) => [field, replaceAny(inner)]);
        return [key, Object.fromEntries(fields)];
      }
      if (key === 'items' || key === 'additionalProperties') return [key, replaceAny(value)];
      if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') return [key, (value as unknown[]).map(replaceAny)];
      return [key, value];
    }),
  );
}

const isPlain = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
