import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const CHART = join(DEPLOY, 'helm/caudex');
const SOURCES = join(import.meta.dirname, '../../src');
const APPS = ['auth', 'backend', 'billing', 'chroma', 'filesystem', 'git'];

/** Set `HELM` where the program is not on the PATH. */
const HELM = process.env['HELM'] ?? 'helm';
const helmIsThere = canRun(HELM, 'version');
const promtoolIsThere = canRun('promtool', '--version');
if (!helmIsThere) console.warn('There is no helm here (HELM names it): the chart is not rendered.');
if (!promtoolIsThere) console.warn('There is no promtool here (Debian: prometheus): the alerts are not evaluated.');

interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec: {
    replicas?: number;
    clusterIP?: string;
    metrics?: { pods: { metric: { name: string } } }[];
    ingress: { from?: { podSelector: { matchLabels: Record<string, string> } }[] }[];
    podSelector: { matchLabels: Record<string, string> };
    template: { spec: { securityContext: object; containers: Container[] } };
  };
}
interface Container {
  args: string[];
  env: { name: string; valueFrom?: object }[];
  resources: { limits: object };
  securityContext: object;
  readinessProbe: { httpGet: { path: string } };
  livenessProbe: { httpGet: { path: string } };
}

function canRun(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function render(example: string, ...values: string[]): Manifest[] {
  const set = values.flatMap((value) => ['--set', value]);
  const text = execFileSync(HELM, [
    'template',
    'demo',
    CHART,
    '-f',
    join(CHART, 'examples', example),
    ...set,
  ]).toString();
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

const isWorkload = ({ kind }: Manifest) => kind === 'Deployment' || kind === 'StatefulSet';

(helmIsThere ? describe : describe.skip).each(readdirSync(join(CHART, 'examples')))('the chart with %s', (example) => {
  const manifests = () => render(example);
  const deployments = () => manifests().filter(isWorkload);

  it('is a Deployment or a StatefulSet for each process, under restricted rights and without a CPU limit', () => {
    const containers = deployments().map(({ spec }) => spec.template.spec.containers[0] as Container);
    expect(containers.map(({ args }) => args[0]).sort()).toEqual(APPS);
    for (const { securityContext, resources } of containers) {
      expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
      expect(resources.limits).not.toHaveProperty('cpu');
    }
    for (const { spec } of deployments()) {
      expect(spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true });
    }
  });

  it('has no probe that depends on another service', () => {
    for (const { spec } of deployments()) {
      const [container] = spec.template.spec.containers as [Container];
      expect(container.readinessProbe.httpGet.path).toBe('/health/ready');
      expect(container.livenessProbe.httpGet.path).toBe('/health/live');
    }
  });

  it('lets only the backend reach the servers', () => {
    const policies = manifests().filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies).toHaveLength(APPS.length);
    for (const { spec } of policies) {
      const component = spec.podSelector.matchLabels['app.kubernetes.io/component'];
      if (component === 'backend') continue;
      const from = spec.ingress.flatMap((rule) => rule.from ?? []);
      expect(from.map(({ podSelector }) => podSelector.matchLabels['app.kubernetes.io/component'])).toEqual([
        'backend',
      ]);
    }
  });
});

(helmIsThere ? it : it.skip)('refuses values that it does not know, and a missing secret', () => {
  const refused = (...values: string[]) =>
    canRun(HELM, 'template', 'demo', CHART, ...values.flatMap((value) => ['--set', value]));
  expect(refused()).toBe(false);
  expect(refused('existingSecret=caudex', 'replicas=3')).toBe(false);
  expect(refused('existingSecret=caudex', 'apps.chroma.resources.limits.cpu=1')).toBe(false);
  expect(refused('existingSecret=caudex')).toBe(true);
});

(helmIsThere ? it : it.skip)(
  'runs several of those processes that share a database, and reads its URL from a secret',
  () => {
    const deployments = render('replicas.yaml').filter(isWorkload);
    const by = new Map(deployments.map(({ spec }) => [spec.template.spec.containers[0]?.args[0], spec]));
    const shared = ['auth', 'backend', 'billing', 'filesystem'];
    for (const app of APPS) {
      const url = by.get(app)?.template.spec.containers[0]?.env.find(({ name }) => name === 'DATABASE_URL');
      expect(by.get(app)?.replicas).toBe(2);
      expect(url?.valueFrom).toEqual(
        shared.includes(app) ? { secretKeyRef: { name: 'caudex-database', key: 'DATABASE_URL' } } : undefined,
      );
    }
    expect(render('replicas.yaml').filter(({ kind }) => kind === 'PodDisruptionBudget')).toHaveLength(APPS.length);
    const accepted = (...values: string[]) =>
      canRun(HELM, 'template', 'demo', CHART, ...['existingSecret=x', ...values].flatMap((value) => ['--set', value]));
    const two = ['apps.auth.replicas=2', 'apps.auth.persistence.enabled=false', 'database.existingSecret=x'];
    expect(accepted(...two)).toBe(true);
    for (const left of two.slice(1)) expect(accepted(...two.filter((value) => value !== left))).toBe(false);
  },
);

(helmIsThere ? it : it.skip)('lets the backend see every pod of a server that runs more than once', () => {
  const manifests = render('replicas.yaml');
  const headless = manifests.filter(({ kind, spec }) => kind === 'Service' && spec.clusterIP === 'None');
  expect(headless.map(({ metadata }) => metadata.name)).toEqual(
    ['auth', 'billing', 'chroma', 'filesystem', 'git'].map((app) => `demo-caudex-${app}-pods`),
  );
  const { data } = manifests.find(({ kind }) => kind === 'ConfigMap') as Manifest;
  expect(data).toMatchObject({
    AUTH_SERVER_URL: 'http://demo-caudex-auth-pods:6001',
    FILESYSTEM_SERVER_URL: 'http://demo-caudex-filesystem-pods:6002',
    CHROMA_SERVER_URL: addresses('chroma', 6003),
    GIT_SERVER_URL: addresses('git', 6005),
  });
});

/** The addresses of the two pods of a StatefulSet. */
const addresses = (app: string, port: number) =>
  [0, 1].map((n) => `http://demo-caudex-${app}-${n}.demo-caudex-${app}-pods:${port}`).join(',');

(helmIsThere ? it : it.skip)('gives each of several chroma and git servers a name and a volume of its own', () => {
  const manifests = render('replicas.yaml');
  const sets = manifests.filter(({ kind }) => kind === 'StatefulSet');
  expect(sets.map(({ metadata }) => metadata.name)).toEqual(['demo-caudex-chroma', 'demo-caudex-git']);
  for (const { spec, metadata } of sets) {
    expect(spec).toMatchObject({
      serviceName: `${metadata.name}-pods`,
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    });
    const [container] = spec.template.spec.containers;
    expect(container).toMatchObject({ volumeMounts: expect.arrayContaining([{ name: 'data', mountPath: '/data' }]) });
  }
  expect(manifests.filter(({ kind }) => kind === 'PersistentVolumeClaim')).toEqual([]);
  const accepted = (...values: string[]) =>
    canRun(HELM, 'template', 'demo', CHART, ...['existingSecret=x', ...values].flatMap((value) => ['--set', value]));
  expect(accepted('apps.git.replicas=3', 'apps.chroma.replicas=2')).toBe(true);
  expect(accepted('apps.git.replicas=2', 'apps.git.persistence.enabled=false')).toBe(false);
  expect(accepted('apps.chroma.replicas=2', 'apps.chroma.persistence.existingClaim=mine')).toBe(false);
  expect(accepted('apps.git.replicas=2', 'external.graphUrl=bolt://neo4j:7687')).toBe(false);
});

(helmIsThere ? it : it.skip)('runs several filesystem servers only with a place for documents that they share', () => {
  const accepted = (...values: string[]) =>
    canRun(HELM, 'template', 'demo', CHART, ...['existingSecret=x', ...values].flatMap((value) => ['--set', value]));
  const two = [
    'apps.filesystem.replicas=2',
    'apps.filesystem.persistence.enabled=false',
    'database.existingSecret=caudex-database',
  ];
  expect(accepted(...two)).toBe(false);
  expect(accepted(...two, 'config.CAUDEX__STORAGE__DOCUMENTS=s3')).toBe(true);
  expect(accepted(...two, 'documents.existingClaim=shared')).toBe(true);
  expect(accepted('documents.existingClaim=shared')).toBe(false);
});

(helmIsThere ? it : it.skip)(
  'leaves the number of backends to the autoscaler, by a series that the backend has',
  () => {
    const manifests = render('replicas.yaml', 'autoscaling.enabled=true');
    const scaler = manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler') as Manifest;
    const series = scaler.spec.metrics?.[0]?.pods.metric.name;
    expect(readFileSync(join(SOURCES, 'backend/status/backend-metrics.service.ts'), 'utf8')).toContain(`'${series}'`);
    const backend = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-backend'));
    expect(backend?.spec).not.toHaveProperty('replicas');
  },
);

(helmIsThere ? it : it.skip)('gives a pod time to be noticed and to finish within its grace period', () => {
  const { data } = render('replicas.yaml', 'terminationGracePeriodSeconds=30').find(
    ({ kind }) => kind === 'ConfigMap',
  ) as Manifest;
  const { CAUDEX__HTTP__DRAIN_DELAY_MS: delayMs, CAUDEX__HTTP__SHUTDOWN_MS: shutdownMs } = data as Record<
    string,
    string
  >;
  expect([delayMs, shutdownMs]).toEqual(['3000', '22000']);
});

(promtoolIsThere ? it : it.skip)('has alerts that fire and end as their tests say', () => {
  const test = join(CHART, 'alerts.test.yaml');
  expect(() => execFileSync('promtool', ['test', 'rules', test], { stdio: 'pipe' })).not.toThrow();
});

it.each(['helm/caudex/alerts.yaml', 'grafana/caudex.json'])('%s names series that exist', (file) => {
  const text = readFileSync(join(DEPLOY, file), 'utf8');
  const named = text.match(/(?<![a-z:_])(caudex|http_(client|server))_[a-z_]+/g) ?? [];
  const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((source) => source.endsWith('.ts'))
    .map((source) => readFileSync(join(SOURCES, source), 'utf8'))
    .join('\n');
  expect(named.length).toBeGreaterThan(0);
  const unknown = named.filter((series) => !sources.includes(`'${series.replace(/_(bucket|count|sum)$/, '')}'`));
  expect(unknown).toEqual([]);
});

it('has a dashboard of recorded series that the rules record', () => {
  const recorded = readFileSync(join(CHART, 'alerts.yaml'), 'utf8');
  const named = readFileSync(join(DEPLOY, 'grafana/caudex.json'), 'utf8').match(/caudex:[a-z_]+:\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((series) => !recorded.includes(`record: ${series}\n`))).toEqual([]);
});

it('has a compose file with every process', () => {
  const { services } = parse(readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, { command?: string[] }>;
  };
  expect(APPS.filter((app) => services[app]?.command?.[0] !== app)).toEqual([]);
});

it('has an image on a base that is pinned by its digest, with the Node of the tests', () => {
  const read = (path: string) => readFileSync(join(DEPLOY, '..', path), 'utf8');
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
  const [, version] = /^ARG BASE=node:([\d.]+)-bookworm-slim@sha256:[0-9a-f]{64}$/m.exec(read('Dockerfile')) ?? [];
  expect(version).toBe(devDependencies.node);
});
