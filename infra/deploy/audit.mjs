/**
 * `npm run audit`: known vulnerabilities of the packages in package-lock.json, less those that audit-exceptions.json explains. Ends with 0 when there is none,
 * with 1 when there is one or an exception is out of date, and with 2 when nothing could be learned: a registry without advisories is not a clean audit.
 *
 *     npm run audit                              # asks the registry that npm is set up with
 *     npm run audit -- --advisories <folder>     # compares with files in the OSV format, such as a copy of the GitHub Advisory Database
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import semver from 'semver';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    advisories: { type: 'string' },
    exceptions: { type: 'string', default: join(root, 'infra/deploy/audit-exceptions.json') },
    lock: { type: 'string', default: join(root, 'package-lock.json') },
  },
});
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

const found = values.advisories === undefined ? askRegistry() : compareWith(values.advisories);
if (found === undefined) process.exit(2);

/** Each `{advisory, package, reason, until}`: one that has no reason or is over explains nothing. */
const exceptions = read(values.exceptions);
const today = new Date().toISOString().slice(0, 10);
const explained = ({ advisory, name }) =>
  exceptions.find(
    (each) =>
      each.advisory === advisory && each.package === name && each.reason && today <= each.until,
  );
const open = found.filter((each) => explained(each) === undefined);
const unused = exceptions.filter((each) => !found.some((other) => explained(other) === each));

for (const { advisory, name, versions, severity, title } of open) {
  console.error(`${advisory} (${severity}) ${name} ${versions}: ${title}`);
}
for (const { advisory, package: name } of unused) {
  console.error(`The exception ${advisory} of ${name} explains nothing: it is over, or mended.`);
}
console.log(
  `${open.length} known vulnerabilities, ${found.length - open.length} more explained in audit-exceptions.json`,
);
process.exitCode = open.length + unused.length === 0 ? 0 : 1;

/** Undefined, and said, when the registry does not answer with a report. */
function askRegistry() {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--json', '--package-lock-only'], {
    cwd: root,
    encoding: 'utf8',
  });
  const report = parsed(stdout);
  if (report?.auditReportVersion === undefined) {
    console.error(
      'The registry that npm is set up with does not tell of vulnerabilities, so nothing is known. Ask another one (npm_config_registry), or compare with advisories at hand: --advisories <folder>.',
    );
    console.error(stderr.trim());
    return undefined;
  }
  return Object.values(report.vulnerabilities).flatMap(({ via }) =>
    via
      .filter((cause) => typeof cause === 'object')
      .map(({ url, name, range, severity, title }) => {
        return { advisory: url.split('/').at(-1), name, versions: range, severity, title };
      }),
  );
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** By the OSV schema: a package is affected when it is listed, or when the last event before its version introduced the fault. */
function compareWith(folder) {
  const locked = new Map();
  for (const [path, { version }] of Object.entries(read(values.lock).packages)) {
    if (path === '') continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    locked.set(name, new Set([...(locked.get(name) ?? []), version]));
  }
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.json'));
  if (files.length === 0) {
    console.error(`There are no advisories in ${folder}, so nothing is known.`);
    return undefined;
  }
  const hits = files.flatMap((file) => {
    const { id, summary, withdrawn, affected = [], database_specific } = read(join(folder, file));
    if (withdrawn !== undefined) return [];
    return affected.flatMap((each) => {
      if (each.package?.ecosystem !== 'npm') return [];
      const { name } = each.package;
      const versions = [...(locked.get(name) ?? [])].filter((version) => isHit(version, each));
      if (versions.length === 0) return [];
      const severity = database_specific?.severity?.toLowerCase() ?? 'severity not told';
      return [{ advisory: id, name, versions: versions.join(', '), severity, title: summary }];
    });
  });
  console.log(`${files.length} advisories were compared`);
  return hits;
}

function isHit(version, { ranges = [], versions = [] }) {
  return (
    versions.includes(version) ||
    ranges.some(({ type, events }) => type !== 'GIT' && isIntroduced(version, events))
  );
}

function isIntroduced(version, events) {
  let isAffected = false;
  for (const { introduced, fixed, last_affected: last } of events) {
    if (introduced !== undefined && (introduced === '0' || semver.gte(version, introduced))) {
      isAffected = true;
    }
    if (fixed !== undefined && semver.gte(version, fixed)) isAffected = false;
    if (last !== undefined && semver.gt(version, last)) isAffected = false;
  }
  return isAffected;
}
