/** A person within an app, as others may see them. */
export interface User {
  readonly id: bigint;
  readonly appId: string;
  /** Folded to lower case. */
  readonly username: string;
  readonly displayName: string;
  readonly createdAtMs: number;
}
