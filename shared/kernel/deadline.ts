/** Thrown by `withDeadline` when the work did not end in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Every external call has a deadline. The work receives an `AbortSignal` it should obey; it is abandoned, not
 * awaited, when it does not.
 */
export async function withDeadline<T>(
  input: { what: string; timeoutMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineError(`${input.what} did not end within ${input.timeoutMs} ms`));
      controller.abort();
    }, input.timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), expiry]);
  } finally {
    clearTimeout(timer);
  }
}
