/**
 * Identical work under way is joined, not repeated. A joiner gets the answer to a question sent before its own, by
 * no more than the deadline of a call.
 */
export function createSingleFlight<T>() {
  const flights = new Map<string, Promise<T>>();
  return (key: string, work: () => Promise<T>): Promise<T> => {
    const existing = flights.get(key);
    if (existing !== undefined) return existing;
    const flight = work().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
