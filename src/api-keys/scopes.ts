/** What an API key may be allowed to do. `admin` allows everything. */
export const scopes = ['urls:read', 'urls:write', 'stats:read', 'jobs:run', 'keys:reserve', 'admin'] as const;

export type Scope = (typeof scopes)[number];
