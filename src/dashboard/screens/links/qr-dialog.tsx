import { useState } from 'preact/hooks';
import { addressOf } from '../../api/client.ts';
import type { ShortUrl } from '../../api/types.ts';
import { qrTexts as texts } from '../../texts/en/qr.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { contrastOf } from './contrast.ts';

/** Below this ratio many scanners fail. */
const minContrast = 4;

/** The QR code of a short URL, with its colours, size, margin and error correction. */
export function QrDialog({ url, onClose }: { url: ShortUrl; onClose: () => void }) {
  const [dark, setDark] = useState('#000000');
  const [light, setLight] = useState('#ffffff');
  const [level, setLevel] = useState('M');
  const [margin, setMargin] = useState(4);
  const path = `/api/v1/urls/${encodeURIComponent(url.short_code)}/qr`;
  const address = (format: 'svg' | 'png', size: number) =>
    addressOf(path, { format, size, margin, level, dark, light });
  const contrast = contrastOf(dark, light);
  const name = `qr-${url.short_code}`;
  return (
    <Dialog title={texts.title(plain(url.short_code))} onClose={onClose}>
      <div class="qr">
        <img src={address('svg', 256)} width="256" height="256" alt={texts.alt(plain(url.short_url))} />
        <div class="qr-fields">
          <Field label={texts.dark}>
            {(ids) => (
              <input
                {...ids}
                type="color"
                value={dark}
                onInput={(event) => setDark(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label={texts.light}>
            {(ids) => (
              <input
                {...ids}
                type="color"
                value={light}
                onInput={(event) => setLight(event.currentTarget.value)}
              />
            )}
          </Field>
          <Field label={texts.level}>
            {(ids) => (
              <select {...ids} value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
                {Object.entries(texts.levels).map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={texts.margin}>
            {(ids) => (
              <input
                {...ids}
                type="number"
                min={0}
                max={20}
                value={margin}
                onChange={(event) => setMargin(Math.min(Math.max(Number(event.currentTarget.value), 0), 20))}
              />
            )}
          </Field>
        </div>
      </div>
      <p class={contrast < minContrast ? 'verdict is-bad' : 'verdict'} role="status">
        <Icon name={contrast < minContrast ? 'alert' : 'check'} />
        {contrast < minContrast
          ? texts.badContrast(contrast.toFixed(1))
          : texts.goodContrast(contrast.toFixed(1))}
        {margin < 4 && ` ${texts.smallMargin}`}
      </p>
      <footer>
        <a class="button" href={address('svg', 1_024)} download={`${name}.svg`}>
          <Icon name="download" />
          SVG
        </a>
        <a class="button" href={address('png', 1_024)} download={`${name}.png`}>
          <Icon name="download" />
          PNG
        </a>
      </footer>
    </Dialog>
  );
}
