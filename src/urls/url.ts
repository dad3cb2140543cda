/** A row of `urls`, as the domain speaks of it. */
export interface ShortUrl {
  id: number;
  shortCode: string;
  originalUrl: string;
  createdAt: Date;
  updatedAt: Date;
  expiresAt: Date | null;
  isActive: boolean;
  version: number;
}

/** A short URL as the table has it, where one that was deleted stays for a while. */
export interface StoredUrl extends ShortUrl {
  isDeleted: boolean;
}

/** A short URL with its counters. */
export interface ShortUrlWithClicks extends ShortUrl {
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** The code is unknown, or its short URL is deleted or disabled. */
export class UrlNotFound extends Error {
  override readonly name = 'UrlNotFound';
}

/** The short URL's time is over. */
export class UrlExpired extends Error {
  override readonly name = 'UrlExpired';
}

/** The code belongs to another short URL, or is reserved for another API key. */
export class CodeTaken extends Error {
  override readonly name = 'CodeTaken';
}

/** The table has too many look-ups waiting; the same request may do well in a moment. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}
