/**
 * Adds to package-lock.json the packages for other platforms that npm could not look up: some registries carry those of some platforms
 * only, and npm then writes a lock that its own `npm ci` refuses ("Missing: … from lock file"). Their versions stand in the packages that
 * ask for them; npm skips them here and checks them, without a hash, where they are installed. Run after `npm install <package>` when
 * `npm ci` complains: node infra/deploy/complete-lock.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = lock.packages;

let count = 0;
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(path, name)) continue;
    const os = /[-/](android|darwin|freebsd|linux|openharmony|win32)-/.exec(name)?.[1];
    const cpu = /-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)\b/.exec(name)?.[1];
    if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
      throw new Error(`${name}@${version}, asked for by ${path}: platform or version not clear`);
    }
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev && { dev }),
      optional: true,
      os: [os],
    };
    count++;
  }
}
if (count > 0) {
  const byPath = ([a], [b]) => (a < b ? -1 : 1);
  lock.packages = Object.fromEntries(Object.entries(packages).sort(byPath));
  writeFileSync(file, JSON.stringify(lock, undefined, 2) + '\n');
}
console.log(`package-lock.json: ${count} packages for other platforms added`);

/** As Node looks a package up: beside the one that asks, then in the folders above. */
function isLocked(path, name) {
  for (let folder = path; ;) {
    if (`${folder}${folder === '' ? '' : '/'}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
    folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0));
  }
}
