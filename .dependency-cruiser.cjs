/** The import directions of docs/architecture.md, as rules. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-circles-of-folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-resilience-knows-cockatiel',
      severity: 'error',
      from: { pathNot: '^src/resilience/' },
      to: { path: 'node_modules/cockatiel' },
    },
    {
      name: 'only-tracing-knows-opentelemetry',
      severity: 'error',
      from: { pathNot: '^src/tracing/' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'contracts-are-plain-data',
      comment: 'A contract is shared with the web page: zod and other contracts, nothing else.',
      severity: 'error',
      from: { path: ['\\.contract\\.ts$', '^src/contract/'] },
      to: { pathNot: ['node_modules/zod', '\\.contract\\.ts$', '^src/contract/'] },
    },
    {
      name: 'backend-never-reaches-into-a-server',
      severity: 'error',
      from: { path: '^src/(backend|outbox)/' },
      to: { path: '^src/downstream/[^/]+/server/' },
    },
    {
      name: 'a-server-knows-its-own-contract-only',
      severity: 'error',
      from: { path: '^src/downstream/([^/]+)/server/' },
      to: { path: '^src/(backend|outbox|resilience/(?!policy/)|downstream/(?!$1/server/|$1/$1\\.contract))' },
    },
    {
      name: 'clients-know-their-own-contract-only',
      severity: 'error',
      from: { path: '^src/downstream/([^/]+)/[^/]+\\.(client|module)\\.ts$' },
      to: { path: '^src/(backend|outbox|downstream/(?!$1/[^/]+\\.ts$))' },
    },
    // From the bottom: contract, config, resilience, storage and text, tracing, http, replicas, downstream, outbox, backend.
    {
      name: 'replicas-are-below-their-users',
      severity: 'error',
      from: { path: '^src/replicas/' },
      to: { path: '^src/(backend|outbox|downstream|launcher)/' },
    },
    {
      name: 'imports-point-downward',
      severity: 'error',
      from: { path: '^src/(config|text|storage|resilience|tracing|http)/' },
      to: { path: '^src/(backend|outbox|replicas|downstream|launcher)/' },
    },
    {
      name: 'resilience-is-below-http',
      severity: 'error',
      from: { path: '^src/(resilience|storage|text|config)/' },
      to: { path: '^src/(http|tracing)/' },
    },
    {
      name: 'config-is-below-everything-but-contract',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/(?!config/|contract/)' },
    },
    {
      name: 'policies-know-neither-nest-nor-http',
      severity: 'error',
      from: { path: '^src/resilience/policy/' },
      to: { path: ['node_modules/(@nestjs|axios|undici|nestjs-pino|fastify)', '^src/resilience/(wire|report)/'] },
    },
    { name: 'no-orphan-imports', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.spec\\.ts$' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
