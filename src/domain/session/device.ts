import { checkText } from '../../lib/text.ts';
import { limits } from '../../limits.ts';
import type { Platform } from './platform.ts';

/** Where a user signs in. */
export interface Device {
  /** Made and kept by the installation; a user's own, so two users may have the same. */
  readonly id: string;
  readonly name: string | null;
  readonly platform: Platform;
}

const deviceBounds = { min: 1, max: limits.deviceCharsMax };

/**
 * A device that a session can be opened for. To be asked before what should not happen for a device that is none, like
 * registering its user.
 * @throws {Fault} INVALID_ARGUMENT
 */
export function checkDevice({ id, name, platform }: Device): Device {
  return {
    id: checkText('device.id', id, deviceBounds),
    name: name === null ? null : checkText('device.name', name, deviceBounds),
    platform,
  };
}
