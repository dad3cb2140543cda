/** The style of every page: one card, with a light and a dark theme, at any width. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2430; --faint: #5b6675; --paper: #f4f6f9; --card: #fff; --line: #d5dbe3; --accent: #1f5fbf; --wrong: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7ebf1; --faint: #a2adbb; --paper: #12161c; --card: #1b212a; --line: #36404d; --accent: #8ab4f8; --wrong: #ff9d94 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 1rem; padding: 1rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
header, main, footer { width: 100%; max-width: 36rem }
main { padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
header, footer { padding: 0 .25rem }
header a { font-weight: 600; color: inherit; text-decoration: none }
h1 { margin: 0 0 .75rem; font-size: 1.375rem; line-height: 1.25 }
h1.host { font-size: 2rem }
h2 { margin: 2rem 0 .5rem; font-size: 1.125rem; line-height: 1.25 }
:target h2 { color: var(--accent) }
p { margin: 0 0 1rem }
code { font-family: ui-monospace, monospace; font-size: .9375em }
main > :last-child { margin-bottom: 0 }
dl { margin: 0 0 1.5rem }
dt, .faint { color: var(--faint); font-size: .875rem }
.faint { margin-bottom: .25rem }
dd { margin: 0 0 .75rem }
.url { font-family: ui-monospace, monospace }
.wrong { color: var(--wrong) }
label { display: block; margin-bottom: .25rem }
input, select, textarea { display: block; width: 100%; margin-bottom: 1rem; padding: .625rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--faint); border-radius: .5rem }
[hidden] { display: none }
a { color: var(--accent) }
button, .button { display: inline-block; padding: .625rem 1.25rem; font: inherit; font-weight: 600; color: var(--card); background: var(--accent);
  border: 0; border-radius: .5rem; text-decoration: none; cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
@media (max-width: 30rem) { main { padding: 1.25rem } h1.host { font-size: 1.5rem } }
`;
