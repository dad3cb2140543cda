import { createHash } from 'node:crypto';

/** The entity tag of a version. */
export const entityTagOf = (version: number) => `"${version}"`;

/** The entity tag of a resource that derives from this text alone. */
export const entityTagOfText = (text: string) =>
  `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;

/** The versions in `If-Match`, by strong comparison; undefined for any version. Other entity tags match no version. */
export function versionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  return tagsIn(ifMatch).flatMap(({ isWeak, tag }) =>
    isWeak || !/^"\d{1,15}"$/.test(tag) ? [] : Number(tag.slice(1, -1)),
  );
}

/** Whether `If-None-Match` contains this entity tag, by weak comparison. */
export function matchesEntityTag(ifNoneMatch: string | undefined, entityTag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some(({ tag }) => tag === entityTag);
}

const tagsIn = (list: string) =>
  [...list.matchAll(/(W\/)?("[^"]*")/g)].map(([, weak, tag]) => ({ isWeak: weak !== undefined, tag: tag! }));
