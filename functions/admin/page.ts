import { z } from 'zod';
import type { TypeIdKind } from '../../shared/kernel/index.ts';
import { idField } from './field.schema.ts';

export const pageLimitMax = 100;

/** The query of a list, newest first: `cursor` is the `nextCursor` of the page before. It opens nothing: it is an id. */
export function pageQuery<const Prefix extends string>(kind: TypeIdKind<Prefix>) {
  return {
    limit: z.coerce.number().int().min(1).max(pageLimitMax).default(50).describe('Items of a page'),
    cursor: idField(kind, 'The nextCursor of the page before').optional(),
  };
}

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    nextCursor: z.string().optional().describe('Absent on the last page'),
  });
}

/** What to ask a store for: one more than fits the page tells whether there is a next one. */
export function toStorePage<Id extends string>(query: { limit: number; cursor?: Id | undefined }) {
  return { limit: query.limit + 1, ...(query.cursor === undefined ? {} : { before: query.cursor }) };
}

export function toPage<Item extends { readonly id: string }, View>(
  found: readonly Item[],
  query: { limit: number },
  toView: (item: Item) => View,
): { items: View[]; nextCursor?: string } {
  const items = found.slice(0, query.limit);
  const last = items.at(-1);
  const hasNext = found.length > query.limit && last !== undefined;
  return { items: items.map(toView), ...(hasNext ? { nextCursor: last.id } : {}) };
}
