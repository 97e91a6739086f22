import { expect, test } from 'vitest';
import { toCloudEvent } from '../events/event-recorder.postgres.ts';
import { type DomainEvent, leafBytesMax, toLeaf } from '../events/index.ts';
import { systemClock as clock, systemRandom as random } from '../kernel/index.ts';
import { refuseDeclaration } from './refusal.ts';

const fault = (message: string) => ({ file: 'organizations/acme/o.yaml', line: 3, column: 5, message });

test('the faults of any declaration fit the leaf of an event, however long and strange they are', () => {
  for (const character of ['x', '"', '\\', '€', '\uD83D\uDE00', '\u0000', '\uD800', '\n']) {
    const refusal = refuseDeclaration({
      faults: Array.from({ length: 500 }, () => fault(character.repeat(5000))),
    });
    const event: DomainEvent = {
      type: 'uos.reconcile.refused.v1',
      subject: 'org_01h455vb4pex5vsknk084sn02q',
      actor: { type: 'git_source', id: 'src_01h455vb4pex5vsknk084sn02q' },
      data: {
        sourceId: 'src_01h455vb4pex5vsknk084sn02q',
        commit: 'c'.repeat(40),
        name: 'a'.repeat(63),
        code: refusal.code,
        faults: [...refusal.faults],
      },
    };
    const recorder = { clock, random, source: 'uos/reconcile' };
    const leaf = toLeaf(toCloudEvent(recorder, 'org_01h455vb4pex5vsknk084sn02q', event));
    expect(Buffer.byteLength(leaf)).toBeLessThanOrEqual(leafBytesMax);
    expect(refusal.faults).toHaveLength(20);
    // What jsonb refuses would turn a refusal into a fault of ours.
    expect(JSON.stringify(refusal)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
  }
});

test('a refusal says how many faults there are and shows the first', () => {
  expect(refuseDeclaration({ faults: [fault('unknown key "emial"'), fault('b')] })).toMatchObject({
    code: 'declaration.invalid',
    message: '2 faults: organizations/acme/o.yaml:3:5: unknown key "emial"',
  });
});
