/** Too many operations of this kind are in progress or waiting. The same request may succeed in a moment. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}
