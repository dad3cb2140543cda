/** The scopes of API keys. `admin` includes all others. */
export const scopes = ['urls:read', 'urls:write', 'stats:read', 'jobs:run', 'keys:reserve', 'admin'] as const;

export type Scope = (typeof scopes)[number];
