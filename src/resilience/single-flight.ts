import { Overloaded } from './overloaded.ts';

/** Runs `load` once for all who ask for the same key while it runs, and at most `limit` loads at a time; who asks
 *  beyond that gets Overloaded at once instead of a place in a growing queue. */
export function createSingleFlight<T>(limit: number, load: (key: string) => Promise<T>) {
  const flights = new Map<string, Promise<T>>();

  return function fly(key: string): Promise<T> {
    const underWay = flights.get(key);
    if (underWay) return underWay;
    if (flights.size >= limit) return Promise.reject(new Overloaded('too many look-ups are waiting'));
    const flight = load(key);
    flights.set(key, flight);
    const land = () => flights.delete(key);
    flight.then(land, land);
    return flight;
  };
}
