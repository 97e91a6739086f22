import { openPool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import {
  continueDataKeyRotations,
  type RotatedPurpose,
  requestDataKeyRotation,
  rewrapDataKeys,
  rotatedPurposes,
} from '../../shared/rewrap/index.ts';
import { postgresSealedRowStore } from '../../shared/rewrap/sealed-row-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';

/**
 * Rotates and re-wraps without end, in batches of two rows and with nothing waited for, from the first byte of its
 * standard input until it is killed, and tells each turn. Ends by itself when whoever started it is gone.
 */
async function work(): Promise<never> {
  const pool = openPool({ url: process.env['DATABASE_URL'] ?? '', applicationName: 'rewrap-child' });
  const deps = {
    pool,
    clock,
    random,
    events: postgresEventRecorder({ clock, random, source: 'uos/key-rotation' }),
    wrapper: await openKeyWrapper({ clock, random }, { WRAPPING_KEY_FILE: process.env['WRAPPING_KEY_FILE'] }),
    keys: postgresDataKeyStore,
    rotations: postgresDataKeyRotationStore,
    rows: postgresSealedRowStore,
    policy: { leadSeconds: 0, graceSeconds: 0, sliceSeconds: 60, batchRows: 2 },
  };
  process.stdout.write('working\n');
  const purposes = Object.keys(rotatedPurposes) as RotatedPurpose[];
  for (let turn = random.bytes(1)[0] ?? 0; ; turn++) {
    const purpose = purposes[turn % purposes.length] ?? 'api-key-pepper';
    await requestDataKeyRotation(deps, { purpose, actor: { type: 'system', id: 'test' } });
    await rewrapDataKeys(deps);
    await continueDataKeyRotations(deps);
    process.stdout.write('turn\n');
  }
}

process.stdin.on('end', () => process.exit());
process.stdin.once('data', () => void work());
process.stdout.write('ready\n');
