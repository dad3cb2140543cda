/** What bots are for: search engines, previews of links in chats and social networks, AI (training, search and assistants), monitors of
 *  availability, feed readers on servers, and all others, such as SEO tools, scanners and libraries. */
export const botKinds = ['search', 'preview', 'ai', 'monitor', 'feed', 'other'] as const;
export type BotKind = (typeof botKinds)[number];
