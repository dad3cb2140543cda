import { hrefOf, linkPath } from '../../../routing/router.ts';
import { common } from '../../../texts/en/common.ts';
import { linksTexts as texts } from '../../../texts/en/links.ts';
import { CopyButton } from '../../../ui/copy.tsx';
import { plain, shortenUrl } from '../../../ui/format.ts';
import { Icon } from '../../../ui/icons.tsx';
import { QrButton } from '../qr-button.tsx';
import type { Created } from './create-state.ts';

/** Beyond this the list below shows them. */
const maxShown = 5;

/** What was just created, ready to be used. */
export function CreatedNote({ created, onClose }: { created: Created; onClose: () => void }) {
  const { urls, isExisting, isCopied, failed } = created;
  const one = isExisting ? texts.exists(isCopied) : texts.created(isCopied);
  return (
    <section class="created" aria-label={texts.created(isCopied)}>
      {urls.length > 0 && (
        <header>
          <Icon name="check" />
          {urls.length === 1 ? one : texts.createdMany(urls.length)}
          <span class="grow" />
          {urls.length > 1 && (
            <CopyButton text={urls.map((url) => url.short_url).join('\n')} label={texts.copyAll} hasText />
          )}
          <button type="button" class="icon-button" aria-label={common.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
      )}
      <ul>
        {urls.slice(0, maxShown).map((url) => (
          <li key={url.id}>
            <a class="short-url" href={url.short_url} target="_blank" rel="noopener">
              {plain(url.short_url)}
            </a>
            <span class="target quiet">{shortenUrl(url.original_url)}</span>
            <CopyButton text={url.short_url} label={texts.copy} />
            <QrButton url={url} />
            <a class="button small" href={hrefOf(linkPath(url.short_code))}>
              {texts.details}
            </a>
          </li>
        ))}
      </ul>
      {failed.length > 0 && (
        <div class="created-failed" role="alert">
          <p>{texts.failed(failed.length)}</p>
          <ul>
            {failed.slice(0, maxShown).map(({ text, why }) => (
              <li key={text}>
                <span class="target">{shortenUrl(text)}</span> <span class="quiet">{why}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
