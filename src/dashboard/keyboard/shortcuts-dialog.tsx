import { letterKeys } from '../state/preferences.ts';
import { common } from '../texts/en/common.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Toggle } from '../ui/field.tsx';

const { shortcuts, nav } = common;

const groups: readonly (readonly [
  title: string,
  keys: readonly (readonly [keys: string, text: string])[],
])[] = [
  [
    shortcuts.groups.links,
    [
      ['c', shortcuts.create],
      ['/', shortcuts.search],
      ['j', shortcuts.next],
      ['k', shortcuts.previous],
      ['Enter', shortcuts.open],
      ['y', shortcuts.copy],
      ['q', shortcuts.qr],
      ['e', shortcuts.edit],
      ['x', shortcuts.select],
      ['#', shortcuts.delete],
    ],
  ],
  [
    shortcuts.groups.go,
    [
      ['g l', nav.links],
      ['g a', nav.analytics],
      ['g v', nav.live],
      ['g t', nav.tags],
      ['g o', nav.operations],
      ['g i', nav.transfers],
      ['g k', nav.keys],
    ],
  ],
  [
    shortcuts.groups.everywhere,
    [
      ['Ctrl k', shortcuts.commands],
      ['?', shortcuts.help],
      ['Esc', shortcuts.escape],
    ],
  ],
];

/** All keyboard shortcuts, and the switch that turns single letters off. */
export const ShortcutsDialog = ({ onClose }: { onClose: () => void }) => (
  <Dialog title={shortcuts.title} onClose={onClose}>
    <div class="shortcut-groups">
      {groups.map(([title, keys]) => (
        <section key={title}>
          <h3>{title}</h3>
          <dl>
            {keys.map(([key, text]) => (
              <div key={key}>
                <dt>
                  {key.split(' ').map((one) => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </dt>
                <dd>{text}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
    <Toggle
      label={shortcuts.letters}
      isOn={letterKeys.value === 'on'}
      onChange={(isOn) => (letterKeys.value = isOn ? 'on' : 'off')}
    />
  </Dialog>
);
