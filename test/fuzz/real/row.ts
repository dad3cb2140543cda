/** How one part of a class of real inputs was treated. */
export interface Row {
  /** The part of the class, such as `desktop browsers`. */
  name: string;
  right: number;
  wrong: number;
  /** Answered by a clear refusal, or by "unknown": neither right nor wrong, but not right. */
  refused: number;
  /** Smallest share of right ones, from 0 to 1. */
  goal: number;
  /** Some of the wrong and refused ones, one line each. */
  examples: string[];
}

export type Outcome = 'right' | 'wrong' | 'refused';

/** Examples that a row keeps. */
const maxExamples = 1_000;

/** Judges each input. `judge` returns the outcome and, where it is not right, what to show of it. */
export async function judgeAll<Input>(
  part: { name: string; goal: number; inputs: Iterable<Input> },
  judge: (input: Input) => Judgement | Promise<Judgement>,
): Promise<Row> {
  const row: Row = { name: part.name, goal: part.goal, right: 0, wrong: 0, refused: 0, examples: [] };
  for (const input of part.inputs) {
    const { outcome, shown } = await judge(input);
    row[outcome] += 1;
    if (outcome !== 'right' && row.examples.length < maxExamples) row.examples.push(`${outcome}: ${shown}`);
  }
  return row;
}

export interface Judgement {
  outcome: Outcome;
  shown: string;
}

export const totalOf = ({ right, wrong, refused }: Row) => right + wrong + refused;

/** The share of right ones; 0 where there are no inputs, so that an empty data set meets no goal. */
export const shareOf = (row: Row) => (totalOf(row) === 0 ? 0 : row.right / totalOf(row));

export const meetsGoal = (row: Row) => shareOf(row) >= row.goal;
