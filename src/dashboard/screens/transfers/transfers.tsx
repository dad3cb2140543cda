import { may } from '../../state/session.ts';
import { transfersTexts as texts } from '../../texts/en/transfers.ts';
import { Screen } from '../../ui/screen.tsx';
import { Exports } from './exports.tsx';
import { Imports } from './imports.tsx';

/** Imports and exports. They run on workers: the page only shows them. */
export const TransfersScreen = () => (
  <Screen title={texts.title}>
    {may('urls:write') && <Imports />}
    <Exports />
  </Screen>
);
