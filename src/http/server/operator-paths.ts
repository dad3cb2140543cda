export const bullBoardPath = '/admin/queues';

/** Whether a path belongs to Bull Board. */
export const isBullBoardPath = (path: string): boolean =>
  path === bullBoardPath || path.startsWith(`${bullBoardPath}/`);

/** Where a browser begins to sign in with OpenID Connect, and where the provider sends it back. */
export const singleSignOnPath = '/admin/sign-in/oidc';
export const singleSignOnCallbackPath = `${singleSignOnPath}/callback` as const;

/** Whether a path below `/admin` is not a screen of the dashboard. */
export const isNoScreen = (path: string): boolean =>
  isBullBoardPath(path) || path === singleSignOnPath || path === singleSignOnCallbackPath;

/** Paths that operators need while the service is overloaded: health, metrics and Bull Board. */
const operatorPaths = /^\/(?:health(?:\/live|\/ready)?|metrics|admin\/queues(?:\/.*)?)$/;

/** Whether a request target is served even under overload. */
export const isOperatorPath = (url: string): boolean => operatorPaths.test(url.split('?', 1)[0]!);
