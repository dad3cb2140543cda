/** A token of SQL. `name` is a quoted identifier, `word` an unquoted text. */
export interface Token {
  kind: 'string' | 'name' | 'word' | 'mark';
  text: string;
}

/** The token is incomplete. */
const unfinished = Symbol('unfinished');

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1A',
};

const word = /[^\s'"`(),;]+/y;

/** Tokenizes the SQL of MySQL from a text in parts. */
export function createTokenizer() {
  let text = '';
  let at = 0;

  function skipTo(end: string): typeof unfinished | undefined {
    const found = text.indexOf(end, at + 2);
    if (found < 0) return unfinished;
    at = found + end.length;
    return undefined;
  }

  /** Skips comments and white space. */
  function skip(): typeof unfinished | undefined {
    for (;;) {
      while (at < text.length && /\s/.test(text[at]!)) at += 1;
      const two = text.slice(at, at + 2);
      const isComment = two === '--' || two === '/*' || two[0] === '#';
      if (!isComment) return two.length < 2 && /^[-/]$/.test(two) ? unfinished : undefined;
      if (skipTo(two === '/*' ? '*/' : '\n') === unfinished) return unfinished;
    }
  }

  function readQuoted(mark: string): string | typeof unfinished {
    let value = '';
    for (let from = at + 1, index = from; ; index++) {
      const character = text[index];
      if (character === undefined) return unfinished;
      if (character === '\\' && mark !== '`') {
        const next = text[index + 1];
        if (next === undefined) return unfinished;
        // MySQL keeps the backslash before % and _.
        value += text.slice(from, index) + (escapes[next] ?? (/[%_]/.test(next) ? `\\${next}` : next));
        index += 1;
        from = index + 1;
      } else if (character === mark) {
        if (index + 1 >= text.length) return unfinished;
        value += text.slice(from, index);
        if (text[index + 1] !== mark) {
          at = index + 1;
          return value;
        }
        value += mark;
        index += 1;
        from = index + 1;
      }
    }
  }

  function readToken(): Token | typeof unfinished {
    if (at >= text.length) return unfinished;
    const first = text[at]!;
    if (first === "'" || first === '"' || first === '`') {
      const value = readQuoted(first);
      if (value === unfinished) return unfinished;
      return { kind: first === "'" ? 'string' : 'name', text: value };
    }
    if ('(),;'.includes(first)) {
      at += 1;
      return { kind: 'mark', text: first };
    }
    word.lastIndex = at;
    const found = word.exec(text)![0];
    if (at + found.length >= text.length) return unfinished;
    at += found.length;
    return { kind: 'word', text: found };
  }

  return {
    /** Characters of the incomplete token. */
    waiting: () => text.length,

    /** The tokens that are complete after this part. */
    *read(part: string): Generator<Token> {
      text += part;
      at = 0;
      let done = 0;
      while (skip() !== unfinished) {
        done = at;
        const token = readToken();
        if (token === unfinished) break;
        done = at;
        yield token;
      }
      text = text.slice(done);
    },
  };
}
