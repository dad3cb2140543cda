import { StringDecoder } from 'node:string_decoder';
import { findFormat, type RequestedFormat } from '../formats/formats.ts';
import { UploadRejected } from '../transfer.ts';
import { splitIntoSlices } from './parts.ts';
import { createTokenizer, type Token } from './sql-tokens.ts';

/** Most characters of an unfinished token; a longer one is an unclosed quotation mark. */
const maxWaiting = 1_000_000;

const damaged = 'The dump is damaged or ends in the middle of a row.\n';

/** The columns of YOURLS' URL table, for dumps without column names. */
const yourlsColumns = ['keyword', 'url', 'title', 'timestamp', 'ip', 'clicks'];

type Value = string | null;

/** Converts an SQL dump of MySQL or MariaDB to NDJSON: the rows of each table with a known format, by column name. Other tables, such as logs
 *  and settings, are skipped. Throws UploadRejected when no table is known. */
export async function* readSqlRows(
  source: AsyncIterable<Buffer>,
  requested: RequestedFormat,
): AsyncGenerator<Buffer> {
  const decoder = new StringDecoder('utf8');
  const tokenizer = createTokenizer();
  const statements = createStatements(requested);
  for await (const part of splitIntoSlices(source)) {
    yield* take(decoder.write(part));
    if (tokenizer.waiting() > maxWaiting) break;
  }
  // Ends the last token.
  yield* take('\n');
  if (statements.isInRow() || tokenizer.waiting() > 0) yield Buffer.from(damaged);
  if (!statements.hasTable())
    throw new UploadRejected('The SQL dump does not contain an INSERT into a known table of short URLs.');

  function* take(text: string): Generator<Buffer> {
    const lines: string[] = [];
    for (const token of tokenizer.read(text)) {
      const line = statements.take(token);
      if (line !== undefined) lines.push(line);
    }
    if (lines.length > 0) yield Buffer.from(lines.join(''));
  }
}

/** A state machine for the statements of a dump. */
function createStatements(requested: RequestedFormat) {
  const tables = new Map<string, string[]>();
  let step: (token: Token) => string | undefined = begin;
  let table = '';
  let columns: string[] = [];
  let isKnown = false;
  let hasTable = false;
  let values: Value[] = [];
  let depth = 0;

  const isMark = ({ kind, text }: Token, mark: string) => kind === 'mark' && text === mark;
  const isWord = ({ kind, text }: Token, ...words: string[]) =>
    kind === 'word' && words.includes(text.toUpperCase());

  function goTo(next: typeof step): undefined {
    step = next;
  }

  function begin(token: Token): undefined {
    table = '';
    if (isWord(token, 'INSERT', 'REPLACE')) return goTo(findTable(afterInsertedTable));
    if (isWord(token, 'CREATE')) return goTo(findTable(afterCreatedTable));
    return goTo(isMark(token, ';') ? begin : skipStatement);
  }

  function skipStatement(token: Token): undefined {
    return isMark(token, ';') ? goTo(begin) : undefined;
  }

  /** Reads the name of a table without its schema. */
  const findTable =
    (next: typeof step) =>
    (token: Token): string | undefined => {
      if (isMark(token, ';')) return goTo(begin);
      const isKeyword = isWord(
        token,
        'INTO',
        'IGNORE',
        'TABLE',
        'IF',
        'NOT',
        'EXISTS',
        'LOW_PRIORITY',
        'DELAYED',
        'TEMPORARY',
      );
      if (isKeyword || isWord(token, '.')) return undefined;
      if (
        token.kind === 'name' ||
        (token.kind === 'word' && table === '' && !isWord(token, 'VALUES', 'VALUE'))
      ) {
        table = token.text.replace(/^.*\./, '');
        return undefined;
      }
      step = next;
      return next(token);
    };

  function afterCreatedTable(token: Token): undefined {
    if (!isMark(token, '(')) return goTo(skipStatement);
    columns = [];
    tables.set(table, columns);
    depth = 1;
    let isFirst = true;
    return goTo((inner) => {
      if (isMark(inner, ';')) return goTo(begin);
      if (isMark(inner, '(')) depth += 1;
      if (isMark(inner, ')')) depth -= 1;
      if (depth === 0) return goTo(skipStatement);
      const isKey = isWord(
        inner,
        'PRIMARY',
        'KEY',
        'UNIQUE',
        'INDEX',
        'FULLTEXT',
        'SPATIAL',
        'CONSTRAINT',
        'FOREIGN',
        'CHECK',
      );
      if (isFirst && inner.kind !== 'mark' && !isKey) columns.push(inner.text);
      isFirst = depth === 1 && isMark(inner, ',');
      return undefined;
    });
  }

  function afterInsertedTable(token: Token): undefined {
    if (isMark(token, '(')) {
      columns = [];
      return goTo((inner) => {
        if (isMark(inner, ')')) return goTo(expectValues);
        if (inner.kind !== 'mark') columns.push(inner.text);
        return undefined;
      });
    }
    columns = tables.get(table) ?? (/(?:^|_)url$/.test(table) ? yourlsColumns : []);
    return expectValues(token);
  }

  function expectValues(token: Token): undefined {
    if (!isWord(token, 'VALUES', 'VALUE')) return goTo(skipStatement);
    isKnown = findFormat(requested, columns) !== undefined;
    hasTable ||= isKnown;
    depth = 0;
    return goTo(isKnown ? readRows : skipStatement);
  }

  function readRows(token: Token): string | undefined {
    if (isMark(token, ';') && depth === 0) return goTo(begin);
    if (isMark(token, '(')) {
      depth += 1;
      if (depth === 1) values = [];
      return undefined;
    }
    if (isMark(token, ')')) {
      depth -= 1;
      return depth === 0 ? writeRow() : undefined;
    }
    if (depth !== 1 || token.kind === 'mark') return undefined;
    // A charset introducer such as _utf8mb4 precedes its string.
    if (token.kind === 'word' && token.text.startsWith('_')) return undefined;
    values.push(token.kind === 'word' && token.text.toUpperCase() === 'NULL' ? null : token.text);
    return undefined;
  }

  function writeRow(): string {
    if (values.length !== columns.length) return damaged;
    return `${JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, values[at]])))}\n`;
  }

  return {
    take: (token: Token): string | undefined => step(token),
    isInRow: () => isKnown && depth > 0,
    hasTable: () => hasTable,
  };
}
