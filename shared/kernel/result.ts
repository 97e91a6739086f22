/**
 * Expected outcomes are values. A `Failure` is tagged by a stable `code` of the form `noun.reason`;
 * bugs and broken infrastructure are thrown instead, with `cause`.
 */
export type Failure = { readonly code: string };

export type Ok<T> = { readonly ok: true; readonly value: T };
export type Fail<F extends Failure> = { readonly ok: false; readonly failure: F };
export type Result<T, F extends Failure> = Ok<T> | Fail<F>;

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

export function fail<const F extends Failure>(failure: F): Fail<F> {
  return { ok: false, failure };
}
