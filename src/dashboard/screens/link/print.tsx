import { useState } from 'preact/hooks';
import { addressOf } from '../../api/client.ts';
import { hrefOf, linkPath, query } from '../../routing/router.ts';
import { service } from '../../state/service.ts';
import { qrTexts as texts } from '../../texts/en/qr.ts';
import { plain } from '../../ui/format.ts';
import { Empty, Screen } from '../../ui/screen.tsx';

/** The QR codes of the links in the address (`?code=`), on one sheet to print. */
export function PrintScreen() {
  const codes = [...new Set(query.value.getAll('code'))];
  const [hasFailed, setFailed] = useState(false);
  const base = (service.value?.base_url ?? '').replace(/^https?:\/\//, '');
  return (
    <Screen
      title={texts.sheet}
      actions={
        codes.length > 0 && (
          <button type="button" class="primary" onClick={() => print()}>
            {texts.print}
          </button>
        )
      }
    >
      {codes.length === 0 && <Empty title={texts.noCodes} />}
      {hasFailed && (
        <p class="note is-problem" role="alert">
          {texts.failed}
        </p>
      )}
      <ul class="qr-sheet">
        {codes.map((code) => (
          <li key={code}>
            <img
              src={addressOf(`/api/v1/urls/${encodeURIComponent(code)}/qr`, { format: 'svg' })}
              width="160"
              height="160"
              loading="lazy"
              onError={() => setFailed(true)}
              alt={texts.alt(plain(code))}
            />
            <a class="code" href={hrefOf(linkPath(code))}>
              {base === '' ? plain(code) : `${base}/${plain(code)}`}
            </a>
          </li>
        ))}
      </ul>
    </Screen>
  );
}
