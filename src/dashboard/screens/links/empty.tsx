import { basePath, hrefOf } from '../../routing/router.ts';
import { service } from '../../state/service.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { Empty } from '../../ui/screen.tsx';
import { draft } from './create/create-state.ts';

const examples = [
  'https://en.wikipedia.org/wiki/URL_shortening',
  'https://www.openstreetmap.org/#map=14/52.5163/13.3779',
  'https://example.com/?utm_source=newsletter&utm_campaign=spring',
];

/** Shown as long as there is no short URL at all. */
export function FirstLink() {
  const base = service.value?.base_url ?? location.origin + basePath;
  return (
    <Empty title={texts.empty}>
      <p>{texts.emptyHint}</p>
      <p>{texts.examples}</p>
      <ul class="examples">
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              class="link-button"
              onClick={() => {
                draft.text.value = example;
                document.querySelector<HTMLElement>('#create-field')?.focus();
              }}
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
      <p>
        <a class="button" href={hrefOf('/transfers')}>
          {texts.import}
        </a>{' '}
        <span class="quiet">{texts.importHint}</span>
      </p>
      <p>{texts.curl}</p>
      <pre tabIndex={0}>{`curl ${base}/api/v1/urls \\
  -H 'content-type: application/json' -H 'x-api-key: …' \\
  -d '{"original_url": "https://example.com/"}'`}</pre>
    </Empty>
  );
}
