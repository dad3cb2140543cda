/** The results for one part of a class of real inputs. */
export interface Row {
  /** The part of the class, such as `desktop browsers`. */
  name: string;
  right: number;
  wrong: number;
  /** Rejected, or recognised as unknown: not wrong, but not right either. */
  refused: number;
  /** Minimum share of right ones, from 0 to 1. */
  goal: number;
  /** Wrong and refused inputs, one line each. */
  examples: string[];
}

export type Outcome = 'right' | 'wrong' | 'refused';

/** Maximum number of examples per row. */
const maxExamples = 1_000;

/** Evaluates each input. `evaluate` returns the outcome, and a text for inputs that are not right. */
export async function evaluateAll<Input>(
  part: { name: string; goal: number; inputs: Iterable<Input> },
  evaluate: (input: Input) => Evaluation | Promise<Evaluation>,
): Promise<Row> {
  const row: Row = { name: part.name, goal: part.goal, right: 0, wrong: 0, refused: 0, examples: [] };
  for (const input of part.inputs) {
    const { outcome, shown } = await evaluate(input);
    row[outcome] += 1;
    if (outcome !== 'right' && row.examples.length < maxExamples) row.examples.push(`${outcome}: ${shown}`);
  }
  return row;
}

export interface Evaluation {
  outcome: Outcome;
  shown: string;
}

export const totalOf = ({ right, wrong, refused }: Row) => right + wrong + refused;

/** The share of right ones; 0 without inputs, so that an empty data set meets no goal. */
export const shareOf = (row: Row) => (totalOf(row) === 0 ? 0 : row.right / totalOf(row));

export const meetsGoal = (row: Row) => shareOf(row) >= row.goal;
