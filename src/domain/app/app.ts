import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/fault.ts';
import { utf8Length } from '../../lib/text.ts';

export { operatorKeyIn, ServerKeys, type Authority, type ServerKey } from './server-keys.ts';

/** What the columns of app ids hold. */
const appIdBytesMax = 64;

/** The apps (tenants) that this deployment serves; their users never meet. */
export class Apps {
  readonly #ids: ReadonlySet<string>;

  constructor(ids: readonly string[]) {
    assert(ids.length > 0, 'there is an app');
    for (const id of ids) assert(utf8Length(id) <= appIdBytesMax, `app id too long: ${id}`);
    this.#ids = new Set(ids);
  }

  /** Whether an app of that id is served here. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * The id, where such an app is served.
   * @throws {Fault} NOT_FOUND
   */
  enter(id: string): string {
    if (!this.has(id)) throw new Fault('NOT_FOUND', 'There is no such app');
    return id;
  }
}
