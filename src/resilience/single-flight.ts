import { Overloaded } from './overloaded.ts';

/** Request coalescing: callers that request the same key while its `load` runs share the result. At most `limit` loads run at a time;
 *  further keys are rejected with Overloaded at once. */
export function createSingleFlight<T>(limit: number, load: (key: string) => Promise<T>) {
  const flights = new Map<string, Promise<T>>();

  return function fly(key: string): Promise<T> {
    const inFlight = flights.get(key);
    if (inFlight) return inFlight;
    if (flights.size >= limit) return Promise.reject(new Overloaded('too many look-ups are waiting'));
    const flight = load(key);
    flights.set(key, flight);
    const land = () => flights.delete(key);
    flight.then(land, land);
    return flight;
  };
}
