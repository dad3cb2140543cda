/** Its URL has the interface of the platform, and the answers of the URL Standard. */
declare module 'whatwg-url' {
  export const URL: typeof globalThis.URL;
}
