import type { ShortUrl } from '../../api/types.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { Icon } from '../../ui/icons.tsx';
import { shownQr } from './list-state.ts';

/** Opens the QR code of a short URL. */
export const QrButton = ({ url }: { url: ShortUrl }) => (
  <button
    type="button"
    class="icon-button"
    aria-label={texts.showQr}
    title={texts.showQr}
    onClick={() => (shownQr.value = url)}
  >
    <Icon name="qr" />
  </button>
);
