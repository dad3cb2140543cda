/** The URL of the standard, with the interface of the platform. */
declare module 'whatwg-url' {
  export const URL: typeof globalThis.URL;
}
