import { createHash } from 'node:crypto';

/** The entity tag of a version, which `ETag` shows. */
export const entityTagOf = (version: number) => `"${version}"`;

/** The entity tag of what is made from a text, and from nothing else. */
export const entityTagOfText = (text: string) =>
  `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;

/** The versions that `If-Match` names, by strong comparison; undefined for any. What is no entity tag of ours names none. */
export function versionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  return tagsIn(ifMatch).flatMap(({ isWeak, tag }) =>
    isWeak || !/^"\d{1,15}"$/.test(tag) ? [] : Number(tag.slice(1, -1)),
  );
}

/** Whether `If-None-Match` names this entity tag, by weak comparison. */
export function isNamedIn(ifNoneMatch: string | undefined, entityTag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some(({ tag }) => tag === entityTag);
}

const tagsIn = (list: string) =>
  [...list.matchAll(/(W\/)?("[^"]*")/g)].map(([, weak, tag]) => ({ isWeak: weak !== undefined, tag: tag! }));
