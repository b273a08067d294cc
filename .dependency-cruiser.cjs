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
      from: { path: '\\.contract\\.ts$' },
      to: { pathNot: ['node_modules/zod', '\\.contract\\.ts$', '^src/downstream/endpoint\\.ts$'] },
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
      to: { path: '^src/(backend|outbox|resilience|downstream/(?!$1/server/|[^/]+\\.ts$|$1/$1\\.contract))' },
    },
    {
      name: 'clients-know-their-own-contract-only',
      severity: 'error',
      from: { path: '^src/downstream/([^/]+)/[^/]+\\.(client|module)\\.ts$' },
      to: { path: '^src/(backend|outbox|downstream/(?!$1/[^/]+\\.ts$|[^/]+\\.ts$))' },
    },
    {
      name: 'the-ground-floor-knows-nobody-above',
      severity: 'error',
      from: { path: '^src/(config|text|storage|resilience|tracing|http)/' },
      to: { path: '^src/(backend|outbox|downstream/[^/]+/)' },
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
