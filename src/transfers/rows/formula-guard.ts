const formula = /^'*[=+\-@\t\r]/;
const guarded = /^'+[=+\-@\t\r]/;

/** A cell that no spreadsheet takes for a formula: what begins like one, with or without apostrophes before it, gets an apostrophe
 *  more. */
export const guardFormula = (text: string) => (formula.test(text) ? `'${text}` : text);

/** What the cell was before it was guarded. */
export const undoFormulaGuard = (text: string) => (guarded.test(text) ? text.slice(1) : text);
