import { Caudex } from '../system/caudex.js';

type Json = Record<string, unknown>;
interface ApiDocument {
  servers: { url: string }[];
  components: { schemas: Json; securitySchemes: Json };
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: { name: string; in: string }[];
        requestBody?: { content: Json };
        responses: Record<string, { content?: Json; headers?: Json }>;
      }
    >
  >;
}

describe('the OpenAPI document', () => {
  let caudex: Caudex;
  let document: ApiDocument;

  beforeAll(async () => {
    caudex = await Caudex.start({}, { apps: ['backend'] });
    document = (await (await fetch(`${caudex.url}/v1/api/openapi.json`)).json()) as ApiDocument;
  }, 60_000);
  afterAll(() => caudex.stop());

  const operation = (path: string, method: string) => {
    const found = document.paths[path]?.[method];
    if (found === undefined) throw new Error(`no ${method} ${path}`);
    return found;
  };

  it('has each shape once, under its name', () => {
    const seen = new Map<string, string>();
    const twice: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { type, properties } = value as { type?: unknown; properties?: object };
      if (type === 'object' && Object.keys(properties ?? {}).length > 1) {
        const { description: _, ...shape } = value as Json;
        const text = JSON.stringify(shape);
        if (seen.has(text)) twice.push(`${path} is as ${seen.get(text)}`);
        seen.set(text, path);
      }
      for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`);
    };
    walk(document, '');
    expect(twice).toEqual([]);
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Problem', 'Project', 'ChatAnswer', 'SearchAnswer', 'Passage', 'Turn', 'StoredDocument']),
    );
  });

  it('contains no broken references', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(100);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name ?? '');
  });

  it('describes files as bytes and as forms', () => {
    const binary = { schema: { type: 'string', format: 'binary' } };
    const one = operation('/v1/api/projects/{project_id}/documents/{path}', 'put');
    expect(one.requestBody?.content).toEqual({ 'application/octet-stream': binary });
    const many = operation('/v1/api/projects/{project_id}/documents', 'post');
    expect(many.requestBody?.content).toMatchObject({
      'multipart/form-data': { schema: { properties: { files: { type: 'array', items: binary.schema } } } },
    });
    expect(operation('/v1/api/projects/{project_id}/documents/{path}', 'get').responses['200']?.content).toMatchObject({
      'application/octet-stream': binary,
    });
  });

  it('describes headers, streams and its own address', () => {
    const headers = (path: string, method: string) =>
      operation(path, method)
        .parameters?.filter((one) => one.in === 'header')
        .map(({ name }) => name);
    expect(headers('/v1/api/projects/{project_id}/documents/{path}', 'put')).toEqual(
      expect.arrayContaining(['If-Match', 'If-None-Match', 'Idempotency-Key']),
    );
    expect(headers('/v1/api/chat/{message_id}/stream', 'get')).toEqual(['Last-Event-ID']);
    const { responses } = operation('/v1/api/chat', 'post');
    expect(Object.keys(responses['200']?.content ?? {})).toEqual(['application/json', 'text/event-stream']);
    expect(responses['429']?.headers).toHaveProperty('Retry-After');
    expect(document.servers).toMatchObject([{ url: '/' }]);
  });
});
