import { platformOrganizationId } from '../organization/index.ts';
import type { KeyPurpose } from '../secret/index.ts';

export type KeyValue = string | number | Uint8Array;

/** A column of sealed boxes, and how to find out what each of them is bound to. */
export type SealedColumn = {
  readonly relation: string;
  readonly column: string;
  /** Holds the box's version too, for whoever reads the row. */
  readonly versionColumn?: string;
  /** `organization`: under row-level security of each; `platform`: of the platform's own; `none`: has none. */
  readonly scope: 'organization' | 'platform' | 'none';
  /** The primary key within the scope. */
  readonly key: readonly { readonly name: string; readonly type: 'text' | 'bytea' | 'integer' }[];
  /** What the owning module gave to `seal`. */
  context(key: readonly KeyValue[], organizationId: string): string;
};

export type Rotated = {
  readonly columns: readonly SealedColumn[];
  /** Versions that serve for something beside sealing, and so never go. */
  readonly keptVersions: readonly number[];
  /** How long something sealed may be out of our hands, unseen by any table. */
  readonly outsideSeconds: number;
};

const text = (name: string) => ({ name, type: 'text' }) as const;
const byId = ([id]: readonly KeyValue[]): string => String(id);
const inTablesOnly = { keptVersions: [], outsideSeconds: 0 };
const apiKey = { relation: 'api_key', scope: 'organization', key: [text('key_id')], context: byId } as const;

/**
 * Every purpose whose data key can be rotated, with the columns that hold what it sealed. The migrations tell the
 * database the same (table `sealed_column`); a test compares the two. Not here: `decision-mask`, which seals nothing
 * and whose successor would mask the same value otherwise than before.
 */
export const rotatedPurposes = {
  'api-key-pepper': {
    ...inTablesOnly,
    columns: [
      { ...apiKey, column: 'secret_sealed', versionColumn: 'secret_key_version' },
      { ...apiKey, column: 'previous_secret_sealed', versionColumn: 'previous_secret_key_version' },
    ],
  },
  'personal-data': {
    ...inTablesOnly,
    columns: [
      {
        relation: 'subject_key',
        column: 'key_sealed',
        scope: 'organization',
        key: [text('subject_id'), { name: 'generation', type: 'integer' }],
        context: ([subject, generation], organizationId) => `${organizationId}:${subject}:${generation}`,
      },
    ],
  },
  'git-source': {
    ...inTablesOnly,
    columns: [
      {
        relation: 'git_source',
        column: 'webhook_secret_sealed',
        scope: 'platform',
        key: [text('source_id')],
        context: byId,
      },
    ],
  },
  'signing-key': {
    ...inTablesOnly,
    columns: [
      {
        relation: 'signing_key',
        column: 'private_jwk_sealed',
        scope: 'none',
        key: [text('key_id')],
        context: byId,
      },
    ],
  },
  'oidc-record': {
    ...inTablesOnly,
    columns: [
      {
        relation: 'oidc_record',
        column: 'payload_sealed',
        scope: 'none',
        key: [text('model'), { name: 'id_hash', type: 'bytea' }],
        context: ([model, idHash]) => `${model}:${hex(idHash)}`,
      },
    ],
    // The index of records is keyed with it.
    keptVersions: [1],
  },
  // Its records end by themselves, and hold too little to be sealed anew: the old version waits for the last.
  idempotency: { ...inTablesOnly, columns: [] },
  // Inside tokens that callers keep for an hour.
  'search-page': { ...inTablesOnly, columns: [], outsideSeconds: 3_600 },
} as const satisfies { readonly [Purpose in KeyPurpose]?: Rotated };

export type RotatedPurpose = keyof typeof rotatedPurposes;

export function isRotatedPurpose(purpose: string): purpose is RotatedPurpose {
  return Object.hasOwn(rotatedPurposes, purpose);
}

export function rotatedOf(purpose: RotatedPurpose): Rotated {
  return rotatedPurposes[purpose];
}

/** The scope of the platform's own tables, as an organization. */
export const platformScope: string = platformOrganizationId;

function hex(bytes: KeyValue | undefined): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : '';
}
