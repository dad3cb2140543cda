import { useState } from 'preact/hooks';
import { hrefOf } from '../../routing/router.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { Confirm, FormDialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Icon } from '../../ui/icons.tsx';
import { toTime } from '../../ui/local-time.ts';
import { changeSelected, deleteSelected } from './bulk-state.ts';
import { clearSelection, type Matching, selectedCodes, selection } from './list-state.ts';
import { readTags } from './settings-fields.tsx';

/** QR codes on a sheet: their short codes are in its address. */
const maxPrinted = 200;

type TagAction = 'add_tags' | 'remove_tags';

/** What can be done with the selected links. `matching`: all that match, if more are selected than the page has. */
export function BulkBar({ matching }: { matching: Matching | false | undefined }) {
  const [asked, setAsked] = useState<TagAction | 'expire' | 'delete'>();
  const chosen = selection.value;
  const isMatching = 'filter' in chosen;
  if (selectedCodes.value?.size === 0) return null;
  return (
    <section class="bulk" aria-label={texts.bulk}>
      <strong>{isMatching ? texts.selectedMatching(chosen.count) : texts.selected(chosen.size)}</strong>
      {matching && (
        <button type="button" class="link-button" onClick={() => (selection.value = matching)}>
          {texts.selectMatching(matching.count)}
        </button>
      )}
      <span class="grow" />
      <button type="button" onClick={() => setAsked('add_tags')}>
        {texts.tagActions.add_tags}
      </button>
      <button type="button" onClick={() => setAsked('remove_tags')}>
        {texts.tagActions.remove_tags}
      </button>
      <button type="button" onClick={() => void changeSelected({ is_active: true })}>
        {texts.enable}
      </button>
      <button type="button" onClick={() => void changeSelected({ is_active: false })}>
        {texts.disable}
      </button>
      <button type="button" onClick={() => setAsked('expire')}>
        {texts.expire}
      </button>
      {!isMatching && chosen.size <= maxPrinted && <PrintButton codes={[...chosen]} />}
      <button
        type="button"
        class="danger"
        onClick={() => (isMatching ? setAsked('delete') : void deleteSelected())}
      >
        {texts.delete}
      </button>
      <button type="button" class="icon-button" aria-label={texts.clearSelection} onClick={clearSelection}>
        <Icon name="close" />
      </button>
      {(asked === 'add_tags' || asked === 'remove_tags') && (
        <TagDialog action={asked} onClose={() => setAsked(undefined)} />
      )}
      {asked === 'expire' && <ExpireDialog onClose={() => setAsked(undefined)} />}
      {asked === 'delete' && isMatching && (
        <Confirm
          title={texts.deleteMatching(chosen.count)}
          text={texts.deleteMatchingText}
          action={texts.delete}
          onConfirm={() => void deleteSelected()}
          onClose={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}

const PrintButton = ({ codes }: { codes: readonly string[] }) => (
  <a class="button" href={hrefOf(`/print?${new URLSearchParams(codes.map((code) => ['code', code]))}`)}>
    {texts.qrSheet}
  </a>
);

const TagDialog = ({ action, onClose }: { action: TagAction; onClose: () => void }) => (
  <InputDialog
    title={texts.tagActions[action]}
    label={texts.fields.tags}
    hint={texts.fields.tagsHint}
    type="text"
    onClose={onClose}
    onValue={(value) => void changeSelected({ [action]: readTags(value) })}
  />
);

const ExpireDialog = ({ onClose }: { onClose: () => void }) => (
  <InputDialog
    title={texts.expire}
    label={texts.fields.expires_at}
    hint={texts.fields.expiresHint}
    type="datetime-local"
    onClose={onClose}
    onValue={(value) => void changeSelected({ expires_at: toTime(value) })}
  />
);

function InputDialog(props: {
  title: string;
  label: string;
  hint: string;
  type: 'text' | 'datetime-local';
  onClose: () => void;
  onValue: (value: string) => void;
}) {
  const { title, label, hint, type, onClose, onValue } = props;
  const [value, setValue] = useState('');
  return (
    <FormDialog
      title={title}
      action={texts.apply}
      onSubmit={() => {
        onClose();
        onValue(value);
      }}
      onClose={onClose}
    >
      <Field label={label} hint={hint}>
        {(ids) => (
          <input
            {...ids}
            {...({ type } as { type: 'text' })}
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
