export const bullBoardPath = '/admin/queues';

/** Whether a path belongs to Bull Board. */
export const isBullBoardPath = (path: string): boolean =>
  path === bullBoardPath || path.startsWith(`${bullBoardPath}/`);

/** Paths that operators need while the service is overloaded: health, metrics and Bull Board. */
const operatorPaths = /^\/(?:health(?:\/live|\/ready)?|metrics|admin\/queues(?:\/.*)?)$/;

/** Whether a request target is served even under overload. */
export const isOperatorPath = (url: string): boolean => operatorPaths.test(url.split('?', 1)[0]!);
