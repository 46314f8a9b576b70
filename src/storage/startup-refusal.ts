/**
 * The server must not start like this, and an operator can put it right: `message` is for them, and
 * says how. The process exits with it, without a stack.
 */
export class StartupRefusal extends Error {
  override name = 'StartupRefusal';
}
