/** The chain of folders (DESIGN 3): a file imports from its own folder or from those to its left. */
const between = (name, from, to, extra = {}) => ({
  name,
  severity: 'error',
  from: { path: from, pathNot: '[.]test[.]ts$' },
  to: { path: to, ...extra },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    between('domain-is-pure', '^domain/', '^(workflows|activities|infra|services|node_modules)'),
    between('domain-does-no-io', '^domain/', '', { dependencyTypes: ['core'] }),
    between('workflows-import-domain', '^workflows/', '^(infra|services)/'),
    between('workflows-import-activity-types-only', '^workflows/', '^activities/', {
      dependencyTypesNot: ['type-only'],
    }),
    between('activities-see-ports', '^activities/', '^(workflows|infra|services)/'),
    between('activities-use-no-library', '^activities/', '^node_modules/(?!@temporalio)'),
    between('infra-imports-domain', '^infra/', '^(workflows|services)/'),
    {
      name: 'services-do-not-import-each-other',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^services/([^/]+)/', pathNot: ['^services/$1/', '^services/shared/'] },
    },
    // The page runs in browsers: of the server it knows what the API answers, as types, and the rules of the domain.
    between(
      'page-imports-types-only',
      '^services/backoffice/web/',
      '^(infra|activities|workflows|services/(?!backoffice/web/))',
      { dependencyTypesNot: ['type-only'] },
    ),
    between(
      'nobody-imports-the-page',
      '^services/(?!backoffice/web/)',
      '^services/backoffice/web/',
    ),
    {
      name: 'shared-imports-no-service',
      severity: 'error',
      from: { path: '^services/shared/' },
      to: { path: '^services/(?!shared/)' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { pathNot: '^(test|bench)/|[.]test[.]ts$' },
      to: { path: '^test/|[.]test[.]ts$' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
