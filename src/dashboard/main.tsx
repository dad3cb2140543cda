import { render } from 'preact';
import { App } from './app.tsx';
import { followLinks } from './routing/router.ts';
import { prepareFormatters } from './ui/format.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/links.css';
import './styles/panels.css';
import './styles/link.css';
import './styles/tables.css';

followLinks();
render(<App />, document.querySelector('#app')!);
// After the first request has been sent.
requestAnimationFrame(() => setTimeout(prepareFormatters));
