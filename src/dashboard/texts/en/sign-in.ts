export const signInTexts = {
  title: 'Sign in',
  expired: 'Your session has ended. Sign in again: nothing that you typed is lost.',
  apiKey: 'API key',
  hint: 'It starts with lm_ and has at least the scope urls:read.',
  signIn: 'Sign in',
  signInWith: (provider: string) => `Sign in with ${provider}`,
  signingIn: 'Signing in…',
  link: 'No key at hand? On the machine of the service run',
  linkCommand: 'npm run sign-in',
  linkEnd: 'and open the link that it prints. It works once, for 10 minutes.',
  badToken: 'This sign-in link was used before or is older than 10 minutes. Sign in with an API key.',
  badKey: 'The API key is unknown, revoked or expired.',
};
