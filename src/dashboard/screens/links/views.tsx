import { useState } from 'preact/hooks';
import { hrefOf } from '../../routing/router.ts';
import { say } from '../../state/messages.ts';
import { currentView, setViews, type View, viewPath, views } from '../../state/views.ts';
import { common } from '../../texts/en/common.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { FormDialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';

function remove(view: View): void {
  const before = views.value;
  setViews(before.filter((one) => one !== view));
  say(texts.viewRemoved(plain(view.name)), { action: { label: texts.undo, run: () => setViews(before) } });
  // The button that had the focus is gone.
  document.querySelector<HTMLElement>('#search-field')?.focus();
}

/** The saved views, and a button that saves the current one. */
export function Views() {
  const [isNaming, setNaming] = useState(false);
  const current = currentView.value;
  const canSave = current !== '' && views.value.every(({ query }) => query !== current);
  if (!canSave && views.value.length === 0) return null;
  return (
    <div class="choices views">
      {views.value.length > 0 && (
        <ul class="choices" aria-label={texts.views}>
          {views.value.map((view) => (
            <li key={view.name}>
              <a
                class="button small"
                href={hrefOf(viewPath(view))}
                aria-current={view.query === current ? 'page' : undefined}
              >
                {plain(view.name)}
              </a>
              <button
                type="button"
                class="icon-button"
                aria-label={texts.removeView(plain(view.name))}
                onClick={() => remove(view)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {canSave && (
        <button type="button" class="small quiet-button" onClick={() => setNaming(true)}>
          <Icon name="plus" />
          {texts.saveView}
        </button>
      )}
      {isNaming && <NameView query={current} onClose={() => setNaming(false)} />}
    </div>
  );
}

/** Asks for the name of a view. One of the same name is replaced. */
function NameView({ query, onClose }: { query: string; onClose: () => void }) {
  const parameters = new URLSearchParams(query);
  const [name, setName] = useState(plain(parameters.get('q') ?? parameters.get('tag') ?? ''));
  const save = () => {
    const view = { name: name.trim(), query };
    if (view.name === '') return;
    setViews([...views.value.filter((one) => one.name !== view.name), view]);
    onClose();
  };
  return (
    <FormDialog title={texts.saveView} action={common.save} onSubmit={save} onClose={onClose}>
      <TextField label={texts.viewName} hint={texts.viewHint} value={name} onValue={setName} />
    </FormDialog>
  );
}
