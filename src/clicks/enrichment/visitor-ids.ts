import { hash } from 'node:crypto';
import type { VisitorSalts } from './visitor-salts.ts';

export type VisitorIds = ReturnType<typeof createVisitorIds>;

/** Tells visitors of one day (UTC) apart without keeping who they are: nobody can compute an id, or try out addresses, without
 *  that day's salt. */
export function createVisitorIds(salts: Pick<VisitorSalts, 'saltAt'>) {
  return {
    /** Sixteen hexadecimal digits, the same for the same address and agent all day; empty without an address. */
    idOf(address: string, agentDigest: string, atMs: number): string {
      if (address === '') return '';
      return hash('sha256', `${salts.saltAt(atMs)} ${address} ${agentDigest}`).slice(0, 16);
    },
  };
}
