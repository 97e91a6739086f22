import { guard, type ToQuestion } from './guard.ts';
import type { Pep } from './pep.ts';
import type { Refusal } from './refusal.ts';

/** As much of an Express request as is read here; without `params`, whose type Express infers itself. */
export type ExpressRequestLike = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly route?: { readonly path?: unknown } | undefined;
};

export type ExpressResponseLike = {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
};

/**
 * Guards one route: `app.get('/documents/:id', expressPep(pep, toQuestion), handler)`. Given to `app.use` it refuses
 * everything, since Express has not matched a route there. `route` is the pattern within its router.
 */
export function expressPep<Request extends ExpressRequestLike>(
  pep: Pick<Pep, 'evaluate'>,
  toQuestion: ToQuestion<Request>,
): (req: Request, res: ExpressResponseLike, next: (error?: unknown) => void) => void {
  return (req, res, next) => {
    const { method } = req;
    const params = 'params' in req ? req.params : undefined;
    const header = (name: string) => req.headers[name];
    guard(pep, toQuestion, { method, route: req.route?.path, params, request: req, header }).then(
      (refusal) => (refusal === undefined ? next() : send(res, refusal)),
      // Nobody else looks at this promise.
      (error: unknown) => next(error ?? new Error('The question could not be made')),
    );
  };
}

function send(res: ExpressResponseLike, { status, headers, body }: Refusal): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(body);
}
