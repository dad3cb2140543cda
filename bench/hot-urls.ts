/** What the codes begin with that redirects are asked for again and again, by Linkmill and by its yardsticks alike. */
export const hotBegin = 'heart';

/** Those short codes and where they lead, as `insertUrls` makes them. */
export const hotUrls: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 200 }, (_, n) => [`${hotBegin}${n}`, `https://example.com/${hotBegin}${n}`]),
);
