'use strict';

/**
 * The import rules of docs/architecture.md. Type imports count: dependency-cruiser reads the sources before types are removed.
 *
 * Modules in this order, lowest first. Each entry may import only itself and entries before it, so folders form no cycle. An entry is a
 * folder without its subfolders, or one file that is lower than the rest of its folder. Where a new folder belongs nowhere, its code
 * probably belongs elsewhere.
 */
const order = [
  'src/version.ts',
  'src/validation',
  'src/logging',
  'src/log.ts',
  'src/metrics',
  'src/resilience',
  'src/resilience/process',
  'src/storage/connections',
  'src/storage/postgres',
  'src/storage/reads',
  'src/storage/redis',
  'src/rate-limits',
  'src/storage/schema',
  'src/epoch',
  'src/queues',
  'src/qr',
  'src/keys',
  'src/clicks/short-text.ts',
  'src/clicks/enrichment/agents',
  'src/clicks/click-detail.ts',
  'src/clicks/click-batch.ts',
  'src/clicks/aggregate.ts',
  'src/clicks/batch-epochs.ts',
  'src/clicks/enrichment/geoip',
  'src/clicks/enrichment',
  'src/clicks/stream',
  'src/clicks/ledger',
  'src/clicks/recording',
  'src/urls/short-url.ts',
  'src/urls/url.ts',
  'src/urls/access',
  'src/urls/changes',
  'src/urls/input',
  'src/urls/search-text',
  'src/urls/store',
  'src/urls/cache',
  'src/urls/idempotency',
  'src/urls/tags',
  'src/urls/titles',
  'src/urls/kept-lists',
  'src/urls/search',
  'src/urls/blocklist',
  'src/urls',
  'src/api-keys/scopes.ts',
  'src/config/environment',
  'src/config',
  'src/analytics/partitions',
  'src/analytics/rollups',
  'src/analytics/feed',
  'src/analytics/query',
  'src/analytics',
  'src/api-keys',
  'src/sessions',
  'src/single-sign-on',
  'src/reports',
  'src/transfers/transfer.ts',
  'src/transfers',
  'src/transfers/rows',
  'src/transfers/formats',
  'src/transfers/files',
  'src/transfers/exports',
  'src/transfers/imports',
  'src/cli',
  'src/http',
  'src/http/connections',
  'src/http/uploads',
  'src/http/problems',
  'src/http/pages/texts',
  'src/http/pages',
  'src/http/server',
  'src/http/static',
  'src/http/middleware',
  'src/http/routes',
  'src/http/single-sign-on',
  'src/http/redirect',
  'src/http/ops',
  'src/http/public-routes.ts',
  'src/http/api/tags.ts',
  'src/http/api/operation.ts',
  'src/http/api/pagination.ts',
  'src/http/api/settle-each.ts',
  'src/http/api/urls',
  'src/http/api/analytics',
  'src/http/api/service',
  'src/http/api/operations',
  'src/http/api',
  'src/http/openapi',
  'src/worker-endpoint.ts',
  'src/web/cluster',
  'src/web/stores',
  'src/web/modules',
  'src/web',
  'src/web.ts',
  'workers/job-context.ts',
  'workers/jobs/steps',
  'workers/jobs/clicks',
  'workers/jobs/cache',
  'workers/jobs/urls',
  'workers/jobs/transfers',
  'workers/registry.ts',
  'workers',
  'workers/main.ts',
];

const escaped = (text) => text.replaceAll('.', '[.]');
const files = order.filter((entry) => entry.endsWith('.ts'));
const filesIn = (entry) => files.filter((file) => file.startsWith(`${entry}/`));
const pattern = (entry) =>
  entry.endsWith('.ts')
    ? `^${escaped(entry)}$`
    : `^(?!${filesIn(entry)
        .map((file) => `${escaped(file)}$`)
        .join('|')})${entry}/[^/]+[.]ts$`.replace('(?!)', '');

const inFolders = (...folders) => `^src/(${folders.join('|')})/`;
const domain = ['urls', 'keys', 'clicks', 'analytics', 'transfers', 'api-keys', 'sessions', 'reports', 'qr'];

/** What a room of the domain may import from other rooms of the domain. */
const domainImports = {
  keys: [],
  qr: [],
  clicks: [],
  urls: ['keys'],
  'api-keys': ['urls'],
  sessions: ['api-keys'],
  reports: ['urls', 'keys', 'clicks'],
  analytics: ['urls', 'keys', 'clicks'],
  transfers: ['urls', 'keys', 'clicks', 'analytics'],
};

const forbid = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    forbid('no-module-cycles', 'Modules form no cycle.', {}, { circular: true }),
    ...order
      .slice(0, -1)
      .map((entry, i) =>
        forbid(
          `order-of-${entry}`,
          'A module imports only what is listed before it in .dependency-cruiser.cjs.',
          { path: pattern(entry) },
          { path: order.slice(i + 1).map(pattern) },
        ),
      ),
    forbid(
      'folders-have-a-place',
      'Each folder has a place in the order of .dependency-cruiser.cjs.',
      { path: '^(src|workers)/', pathNot: order.map(pattern) },
      {},
    ),
    forbid(
      'server-without-dashboard',
      'The server only serves the files of the built dashboard.',
      { path: '^(src|workers|migrations)/' },
      { path: '^src/dashboard/' },
    ),
    forbid(
      'infrastructure-below-domain',
      'Infrastructure does not import the domain.',
      {
        path: inFolders('resilience', 'storage', 'rate-limits', 'validation', 'metrics', 'logging', 'epoch'),
      },
      { path: inFolders(...domain, 'http', 'web', 'cli', 'config', 'queues') },
    ),
    forbid(
      'domain-without-framework',
      'The domain knows neither processes nor configuration: it is given what it needs.',
      { path: inFolders(...domain) },
      { path: [inFolders('http', 'web', 'cli', 'config', 'queues'), '^workers/'] },
    ),
    ...domain.map((room) =>
      forbid(
        `domain-of-${room}`,
        `${room} may import from the domain: ${domainImports[room].join(', ') || 'nothing'}.`,
        { path: inFolders(room) },
        {
          path: inFolders(
            ...domain.filter((other) => other !== room && !domainImports[room].includes(other)),
          ),
        },
      ),
    ),
    forbid(
      'http-without-jobs',
      'Requests and jobs are separate entry points: they never import each other.',
      { path: '^src/' },
      { path: '^workers/' },
    ),
    forbid(
      'jobs-without-http',
      'Jobs and requests are separate entry points: they never import each other.',
      { path: '^workers/' },
      { path: inFolders('http', 'web') },
    ),
    forbid(
      'koa-only-in-http',
      'Koa is used in http, in the middleware list of the web process, and in the endpoint of the worker.',
      {
        path: '^(src|workers)/',
        pathNot: ['^src/http/', '^src/web/app[.]ts$', '^src/worker-endpoint[.]ts$'],
      },
      { path: 'node_modules/(@types/)?(koa|@koa|koa-[^/]+|@bull-board)/' },
    ),
    forbid(
      'bullmq-only-in-queues',
      'BullMQ is used in queues, workers and storage/redis.',
      { path: '^(src|workers)/', pathNot: ['^src/queues/', '^src/storage/redis/', '^workers/'] },
      { path: 'node_modules/bullmq/' },
    ),
    forbid(
      'no-development-dependencies',
      'The service runs without development dependencies.',
      { path: '^(src|workers|migrations)/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no-tools-in-the-service',
      'The service imports no tests, scripts or benchmarks.',
      { path: '^(src|workers|migrations)/' },
      { path: '^(test|scripts|bench)/' },
    ),
    forbid('resolvable', 'Each import exists.', {}, { couldNotResolve: true }),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // The parser does not read .tsx: test/dashboard/imports.test.ts holds the import rules of the dashboard.
    doNotFollow: { path: ['node_modules', '^src/dashboard'] },
    // Of csv-parse and csv-stringify, which have no main module for their subpaths.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'require', 'default'],
    },
  },
};
