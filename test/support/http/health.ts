interface Health {
  status: string;
  works: { redirects: string; clicks: string };
  conditions: { code: string; reason: string }[];
  checks: Record<string, { status: string }>;
}

/** Reads `/health` of a process. */
export async function readHealth(baseUrl: string): Promise<Health> {
  const response = await fetch(`${baseUrl}/health`);
  return (await response.json()) as Health;
}

export const isHealthy = async (baseUrl: string): Promise<boolean> =>
  (await readHealth(baseUrl)).status === 'healthy';
