import { Overloaded } from './url.ts';

/** Runs `load` once for all who ask for the same key while it runs, and at most `limit` loads at a time; who asks
 *  beyond that gets Overloaded at once instead of a place in a growing queue. */
export function createSingleFlight<T>(limit: number, load: (key: string) => Promise<T>) {
  const flights = new Map<string, Promise<T>>();

  return async function fly(key: string): Promise<T> {
    const underWay = flights.get(key);
    if (underWay) return await underWay;
    if (flights.size >= limit) throw new Overloaded('too many look-ups are waiting');
    const flight = load(key).finally(() => flights.delete(key));
    flights.set(key, flight);
    return await flight;
  };
}
