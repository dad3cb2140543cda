const formula = /^'*[=+\-@\t\r]/;
const guarded = /^'+[=+\-@\t\r]/;

/** Guards a CSV cell against formula injection: a text that begins like a formula, also after apostrophes, gets another apostrophe. Unlike
 *  `escape_formulas` of csv-stringify, the guard is reversible. */
export const guardFormula = (text: string) => (formula.test(text) ? `'${text}` : text);

/** Removes the guard of a cell. */
export const undoFormulaGuard = (text: string) => (guarded.test(text) ? text.slice(1) : text);
