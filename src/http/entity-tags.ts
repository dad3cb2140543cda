/** The entity tag of a version, which `ETag` shows. */
export const entityTagOf = (version: number) => `"${version}"`;

/** The versions that `If-Match` names, by strong comparison; undefined for any. What is no entity tag of ours names none. */
export function versionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  return tagsIn(ifMatch).flatMap(({ isWeak, version }) => (isWeak ? [] : version));
}

/** Whether `If-None-Match` names this version, by weak comparison. */
export function isNamedIn(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).some((tag) => tag.version === version);
}

const tagsIn = (list: string) =>
  [...list.matchAll(/(W\/)?"(\d{1,15})"/g)].map(([, weak, version]) => ({
    isWeak: weak !== undefined,
    version: Number(version),
  }));
