import { type TypeId, typeId } from '../kernel/index.ts';
import type { RotatedPurpose } from './sealed-column.ts';

export const dataKeyRotationId = typeId('dkr');
export type DataKeyRotationId = TypeId<'dkr'>;

/**
 * `requested`: nothing is done yet. `waiting`: the new version is there and opens, but does not seal before every
 * process can know it. `resealing`: rows are sealed anew, one organization after the other. `retiring`: none is left,
 * and the old versions are kept until what was read before is forgotten. `finished`: they are destroyed. `superseded`:
 * while it retired, another was asked for, which takes over what it left.
 */
export type DataKeyRotationStatus =
  | 'requested'
  | 'waiting'
  | 'resealing'
  | 'retiring'
  | 'finished'
  | 'superseded';

export type DataKeyRotation = {
  readonly id: DataKeyRotationId;
  readonly purpose: RotatedPurpose;
  readonly status: DataKeyRotationStatus;
  /** The version that takes over; undefined while only requested. */
  readonly targetVersion: number | undefined;
  readonly activeFrom: Date | undefined;
  /** The organization whose rows were sealed anew last; empty before the first. */
  readonly position: string;
  /** Found when the work began. Progress is told in steps: after a crash some rows may not be counted as done. */
  readonly rowsTotal: number;
  readonly rowsDone: number;
  /** Of the last walk. They keep the old version alive. */
  readonly rowsUnreadable: number;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly updatedAt: Date;
  /** When a walk last reached its end. */
  readonly settledAt: Date | undefined;
  readonly finishedAt: Date | undefined;
};

/** What a rotation is at the start of a walk over all its rows. */
export const walking = { status: 'resealing', position: '', rowsUnreadable: 0 } as const;
