/** Purposes of bots: search engines, link previews in chats and social networks, AI (training, search and
 *  assistants), availability monitors, feed readers on servers, and all others, such as SEO tools, scanners and HTTP
 *  libraries. */
export const botKinds = ['search', 'preview', 'ai', 'monitor', 'feed', 'other'] as const;
export type BotKind = (typeof botKinds)[number];
