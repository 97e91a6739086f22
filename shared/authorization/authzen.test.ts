import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluationRequestSchema, parseEvaluationRequest } from './authzen.ts';

const request = {
  subject: { type: 'user', id: 'usr_1' },
  action: { name: 'read' },
  resource: { type: 'document', id: '42' },
};

describe('an AuthZEN evaluation request', () => {
  test('is accepted in its smallest form', () => {
    expect(parseEvaluationRequest(request)).toMatchObject({ ok: true, value: request });
  });

  test('is accepted with properties and context', () => {
    const full = {
      subject: { ...request.subject, properties: { department: 'Sales' } },
      action: { name: 'read', properties: { soft: true } },
      resource: { ...request.resource, properties: { team: 'team_a' } },
      context: { time: '2026-01-01T00:00:00Z' },
    };
    expect(parseEvaluationRequest(full)).toEqual({ ok: true, value: full });
  });

  test('may hold members we do not know, which are ignored', () => {
    const extended = { ...request, evaluation_id: 1, subject: { ...request.subject, tenant: 'x' } };
    expect(parseEvaluationRequest(extended)).toMatchObject({ ok: true, value: request });
    expect(JSON.stringify(parseEvaluationRequest(extended))).not.toContain('tenant');
  });

  test('may write an absent member as null', () => {
    expect(parseEvaluationRequest({ ...request, context: null })).toMatchObject({ ok: true, value: request });
  });

  test.each([
    [undefined, 'the request must be an object'],
    [[], 'the request must be an object'],
    [{ ...request, subject: undefined }, 'subject is required'],
    [{ ...request, subject: null }, 'subject must be an object'],
    [{ ...request, subject: { type: 'user' } }, 'subject.id is required'],
    [{ ...request, subject: { type: '', id: 'usr_1' } }, 'subject.type must not be empty'],
    [{ ...request, subject: { type: 'user', id: 7 } }, 'subject.id must be a string'],
    [{ ...request, action: 'read' }, 'action must be an object'],
    [{ ...request, action: {} }, 'action.name is required'],
    [{ ...request, resource: { id: '42' } }, 'resource.type is required'],
    [
      { ...request, resource: { type: 'd', id: 'x'.repeat(1025) } },
      'resource.id must be at most 1024 characters',
    ],
    [
      { ...request, resource: { ...request.resource, properties: [] } },
      'resource.properties must be an object',
    ],
    [{ ...request, context: 'now' }, 'context must be an object'],
    [{ subject: request.subject }, 'action is required; resource is required'],
  ])('that is wrong is told where: %j', (body, detail) => {
    expect(parseEvaluationRequest(body)).toEqual({
      ok: false,
      failure: { code: 'request.malformed', detail },
    });
  });

  test('is accepted exactly when the schema accepts it, and means the same', () => {
    const usual = 30;
    const name = fc.oneof(
      { weight: usual, arbitrary: fc.string({ minLength: 1 }) },
      fc.constantFrom(
        '',
        'x'.repeat(256),
        'x'.repeat(257),
        'x'.repeat(1024),
        'x'.repeat(1025),
        '\u{1f600}'.repeat(256),
        '\u{1f600}'.repeat(1024),
        7,
        null,
      ),
    );
    const attributes = fc.oneof(
      { weight: usual, arbitrary: fc.dictionary(fc.string(), fc.jsonValue()) },
      fc.constantFrom(null, [], 'no'),
    );
    const entity = fc.record(
      { type: name, id: name, name, properties: attributes, other: name },
      { requiredKeys: ['type', 'id', 'name'] },
    );
    const body = fc.record(
      { subject: entity, action: entity, resource: entity, context: attributes, other: name },
      { requiredKeys: ['subject', 'action', 'resource'] },
    );
    let accepted = 0;
    fc.assert(
      fc.property(body, (value) => {
        const expected = evaluationRequestSchema.safeParse(value);
        const parsed = parseEvaluationRequest(value);
        expect(parsed.ok).toBe(expected.success);
        if (parsed.ok) expect(parsed.value).toEqual(expected.data);
        accepted += parsed.ok ? 1 : 0;
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('never makes the parser throw', () => {
    const member = fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.string(), id: fc.string(), name: fc.string() }),
    );
    const body = fc.record(
      { subject: member, action: member, resource: member, context: member },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(fc.oneof(fc.anything(), body), (value) => void parseEvaluationRequest(value)));
  });
});
