/** What is thrown for a message that its destination will never take, however often it is tried. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}
