import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEvaluationRequest } from './authzen.ts';

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
