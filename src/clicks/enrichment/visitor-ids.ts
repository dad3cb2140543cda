import { hash } from 'node:crypto';
import type { VisitorSalts } from './visitor-salts.ts';

export type VisitorIds = ReturnType<typeof createVisitorIds>;

/** Derives daily visitor IDs without storing who the visitors are: without the salt of the day, an ID can be neither
 *  computed nor tested against an address. */
export function createVisitorIds(salts: Pick<VisitorSalts, 'saltAt'>) {
  return {
    /** Returns 16 hexadecimal digits, the same for an address and agent during one day (UTC); empty without an
     *  address. */
    idOf(address: string, agentDigest: string, atMs: number): string {
      if (address === '') return '';
      return hash('sha256', `${salts.saltAt(atMs)} ${address} ${agentDigest}`).slice(0, 16);
    },
  };
}
