// The SBOM of the image in the CycloneDX format: that of npm without the packages that the image lacks, and with Node and
// the packages of Debian. usage: npm sbom … | node sbom.mjs STATUS_D, in the folder of node_modules
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const [statusDir] = process.argv.slice(2);
const sbom = JSON.parse(await text(process.stdin));

const { packages } = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8'));
const present = new Set(
  Object.entries(packages)
    .filter(([path]) => existsSync(path))
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);
const shipped = sbom.components.filter(({ name, version }) => present.has(`${name}@${version}`));

const debian = readdirSync(statusDir).map((name) => {
  const field = (key) => new RegExp(`^${key}: (.*)$`, 'm').exec(readFileSync(join(statusDir, name), 'utf8'))?.[1] ?? '';
  const version = field('Version');
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${field('Architecture')}`;
  return { 'bom-ref': purl, type: 'library', name, version, purl };
});
const { node: version } = process.versions;
const node = {
  'bom-ref': `node@${version}`,
  type: 'platform',
  name: 'node',
  version,
  purl: `pkg:generic/node@${version}`,
};

const components = [...shipped, node, ...debian];
const known = new Set([sbom.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
const dependencies = sbom.dependencies
  .filter(({ ref }) => known.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => known.has(other)) }));
console.log(JSON.stringify({ ...sbom, components, dependencies }, null, 2));
