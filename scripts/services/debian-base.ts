/** Packages that every Debian machine has. */
export interface BasePackages {
  names: Set<string>;
  /** A dpkg status with these packages, installed, and no other. */
  status: string;
}

interface Stanza {
  name: string;
  fields: Map<string, string>;
}

/** The fields that apt needs for a plan. Dependencies are omitted, so that a machine with unmet ones has a plan too. */
const keptFields = ['Package', 'Version', 'Architecture', 'Multi-Arch', 'Provides', 'Essential'];

/** The base system in a dpkg status: each installed essential package with its direct and indirect dependencies, libc
 *  and the dynamic linker. */
export function readBasePackages(status: string): BasePackages {
  const installed = status
    .split(/\n\n+/)
    .map(parseStanza)
    .filter(({ fields }) => isInstalled(fields.get('Status')));
  const providers = new Map<string, Stanza[]>();
  for (const stanza of installed) {
    for (const name of [stanza.name, ...namesIn(stanza.fields.get('Provides'))]) {
      providers.set(name, [...(providers.get(name) ?? []), stanza]);
    }
  }
  const base = new Set(installed.filter(({ fields }) => fields.get('Essential') === 'yes'));
  // Iterating a Set includes elements that are added meanwhile.
  for (const { fields } of base) {
    const needed = ['Pre-Depends', 'Depends'].flatMap((field) => namesIn(fields.get(field)));
    for (const name of needed) for (const stanza of providers.get(name) ?? []) base.add(stanza);
  }
  return {
    names: new Set([...base].map(({ name }) => name)),
    status: [...base].map(describe).join('\n'),
  };
}

function parseStanza(text: string): Stanza {
  const fields = new Map(
    // A line that begins with a space continues the field before it.
    text
      .replaceAll(/\n[ \t]+/g, ' ')
      .split('\n')
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
  );
  return { name: fields.get('Package') ?? '', fields };
}

/** A removed package that left its settings has the state `config-files`. */
function isInstalled(status = ''): boolean {
  return !['', 'not-installed', 'config-files'].includes(status.split(' ').at(-1) ?? '');
}

/** The names in a list such as `libc6 (>= 2.34), awk:any | mawk`, alternatives included. */
function namesIn(list = ''): string[] {
  return list.split(/[,|]/).flatMap((entry) => /^[^\s(:[]+/.exec(entry.trim())?.[0] ?? []);
}

function describe({ fields }: Stanza): string {
  const kept = keptFields.flatMap((field) => {
    const value = fields.get(field);
    return value === undefined ? [] : [`${field}: ${value}`];
  });
  return [...kept, 'Status: install ok installed', ''].join('\n');
}
