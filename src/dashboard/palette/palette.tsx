import { useEffect, useId, useState } from 'preact/hooks';
import { useQuery } from '../api/use-query.ts';
import { paletteTexts as texts } from '../texts/en/palette.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { ProblemNote } from '../ui/screen.tsx';
import { type Command, commandsFor, findLinks, loadJobs } from './commands.ts';

/** Pause in typing after which the server searches, in milliseconds. */
const searchAfterMs = 150;

/** Finds links, screens and jobs by their names, and shortens a URL. A combobox: the field keeps the focus. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [searched, setSearched] = useState('');
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const trimmed = text.trim();
  useEffect(() => {
    const timer = setTimeout(() => setSearched(trimmed), searchAfterMs);
    return () => clearTimeout(timer);
  }, [trimmed]);

  const jobs = useQuery('palette jobs', loadJobs);
  const links = useQuery(`palette ${searched}`, async (signal) => await findLinks(searched, signal));
  // While another text is searched, and after a problem, the answer is that of the search before.
  const isSearched = trimmed === searched && !links.isLoading;
  const problem = links.problem ?? jobs.problem;
  const found = isSearched && !links.problem ? (links.data ?? []) : [];
  const commands = [...commandsFor(trimmed, jobs.data ?? []), ...found];
  const current = Math.min(chosen, commands.length - 1);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') run(commands[current]);
    else if (step !== undefined) setChosen((current + step + commands.length) % commands.length);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={texts.title} onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-label={texts.field}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={commands.length > 0 ? `${id}-${current}` : undefined}
        placeholder={texts.placeholder}
        autocomplete="off"
        spellcheck={false}
        autofocus
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" class="palette" aria-label={texts.title}>
        {commands.map((command, i) => (
          <li
            key={i}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === current}
            ref={(item) => void (i === current && item?.scrollIntoView({ block: 'nearest' }))}
            onClick={() => run(command)}
          >
            <Icon name={command.icon} />
            <span class="cut">
              {command.name} {command.detail && <span class="quiet">{command.detail}</span>}
            </span>
          </li>
        ))}
      </ul>
      {commands.length === 0 && isSearched && !problem && <p class="quiet">{texts.none}</p>}
      {problem && <ProblemNote problem={problem} />}
    </Dialog>
  );
}
