/** The `code` of an error, such as ECONNREFUSED or a SQLSTATE; empty for an error without one. */
export function errorCodeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' || typeof error.code === 'number' ? String(error.code) : '';
}
