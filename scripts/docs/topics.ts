interface Topic {
  title: string;
  intro: string;
  /** Names of settings, and patterns of names. */
  settings: readonly (string | RegExp)[];
}

/** The sections of docs/configuration.md, in order. A setting belongs to the first topic that matches it. */
export const topics: Readonly<Record<string, Topic>> = {
  database: {
    title: 'Database',
    intro: 'PostgreSQL is required. [Operations](operations.md#postgresql) explains TLS, roles and pools.',
    settings: [/^DATABASE_/, /^MIGRATION_/],
  },
  redis: {
    title: 'Redis',
    intro:
      'Redis is required. [Operations](operations.md#redis) explains its eviction policy, its rights and TLS.',
    settings: [/^REDIS_/],
  },
  links: {
    title: 'Links',
    intro: 'Where short URLs are, what they may be, and how they redirect.',
    settings: [
      'BASE_URL',
      'ALIAS_HOSTS',
      /^REDIRECT_/,
      /^CUSTOM_CODE_/,
      'CODES_IGNORE_CASE',
      'CODE_REUSE_AFTER_DAYS',
      'RETENTION_DAYS',
      'MAX_URL_LENGTH',
      'ALLOWED_SCHEMES',
      'FETCH_TITLES',
      /^KEY_POOL_/,
      /^(MEMORY_)?CACHE_/,
      'STALE_IF_ERROR_SECONDS',
      /^WARM_CACHE_/,
    ],
  },
  pages: {
    title: 'Pages',
    intro:
      'What visitors see on pages, such as that of an unknown or protected short URL. The pages are in English or German, as the browser prefers.',
    settings: ['SITE_NAME', 'HOME_URL', 'CONTACT_URL'],
  },
  clicks: {
    title: 'Clicks',
    intro: 'How clicks are counted, what is stored of them, and for how long.',
    settings: [
      /^CLICK_/,
      'COUNTRY_HEADER',
      'GEOIP_DATABASE_PATH',
      'RESPECT_DO_NOT_TRACK',
      'ANALYTICS_RETENTION_DAYS',
    ],
  },
  limits: {
    title: 'Limits',
    intro: 'What one client, one API key and one process may use.',
    settings: [/^RATE_LIMIT_/, /^MAX_/, 'IMPORT_MAX_FILE_MB', 'TRANSFER_RETENTION_DAYS'],
  },
  security: {
    title: 'Security',
    intro: 'Which addresses are trusted, and what protects the pages of operators.',
    settings: ['TRUSTED_PROXY_HOPS', 'CORS_ORIGINS', 'ALLOW_PRIVATE_URLS', /^BULL_BOARD_/, /^METRICS_/],
  },
  signOn: {
    title: 'Single sign-on',
    intro:
      'People sign in to the dashboard with OpenID Connect. [Dashboard](dashboard.md#single-sign-on) explains how to set it up.',
    settings: [/^OIDC_/],
  },
  operations: {
    title: 'Operations',
    intro: 'Ports, processes, shutdown and logs.',
    settings: ['PORT', 'HOST', 'WORKER_PORT', 'WEB_CONCURRENCY', /^SHUTDOWN_/, 'LOG_LEVEL', /^ACCESS_LOG/],
  },
};

/** The topic of a setting; undefined if none matches. */
export function topicOf(name: string): string | undefined {
  return Object.entries(topics).find(([, { settings }]) =>
    settings.some((one) => (typeof one === 'string' ? one === name : one.test(name))),
  )?.[0];
}
