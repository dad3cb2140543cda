/** Reads the number of clicks that a web process has recorded since its start. */
export async function readAccepted(baseUrl: string, metricsToken: string): Promise<number> {
  const response = await fetch(`${baseUrl}/metrics`, {
    headers: { authorization: `Bearer ${metricsToken}` },
  });
  const [, count] = /^linkmill_clicks_accepted_total (\d+)$/m.exec(await response.text()) ?? [];
  if (count === undefined) throw new Error('the metrics have no clicks');
  return Number(count);
}
