/** The path of a short URL below the base URL, percent-encoded. */
export const pathOfCode = (shortCode: string): string => encodeURIComponent(shortCode);

/** The short URL of a code. */
export const shortUrlOf = (baseUrl: string, shortCode: string): string =>
  `${baseUrl}/${pathOfCode(shortCode)}`;
