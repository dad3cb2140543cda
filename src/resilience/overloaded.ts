/** Too many operations of this kind are in progress or waiting. A retry may succeed soon. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded';
}
