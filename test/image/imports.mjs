// Imports every package that the built program in the current folder imports; .ci/image runs it in the image, as
// `node --input-type=module - < imports.mjs`. A package is damaged where an import fails. usage: … - [LEFT_OUT …]
import { globSync, readFileSync } from 'node:fs';

const IMPORT = /(?:\bfrom|\bimport|\bimport\(|\brequire\.resolve\()\s*(['"])(@?[a-z][\w./@-]*)\1/g;
const leftOut = process.argv.slice(2);
const files = globSync('dist/**/*.js').map((file) => readFileSync(file, 'utf8'));
const names = new Set(files.flatMap((file) => [...file.matchAll(IMPORT)].map(([, , name]) => name)));
const packages = [...names].filter((name) => !name.startsWith('node:') && !leftOut.includes(name));
if (packages.length < 50) throw new Error(`only ${packages.length} packages were found in dist`);

const failed = [];
for (const name of packages) await import(name).catch((error) => failed.push(`${name}: ${error.message}`));
if (failed.length > 0) throw new Error(failed.join('\n'));
console.log(`${packages.length} packages can be imported`);
process.exit();
