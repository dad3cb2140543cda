import type { Reader, Response } from 'maxmind';

/** Positions in the address space to read from, and records per position. */
const positions = 16;
const recordsPerPosition = 20;
/** Maximum number of networks without a record to skip per position. */
const maxSteps = 500;

/** Yields up to 320 records of a file from all over the address space. Takes a few milliseconds. */
export function* sampleRecords(reader: Reader<Response>): Generator {
  yield* sampleSpace(reader, { bits: 32, first: 0n, format: formatIpv4 });
  // Global unicast: 2000::/3 is the first eighth that is in use.
  if (reader.metadata.ipVersion === 6)
    yield* sampleSpace(reader, { bits: 125, first: 1n << 125n, format: formatIpv6 });
}

interface Space {
  /** The space has 2 ** bits addresses, starting at `first`. */
  bits: number;
  first: bigint;
  format: (address: bigint) => string;
}

function* sampleSpace(reader: Reader<Response>, { bits, first, format }: Space): Generator {
  const size = (1n << BigInt(bits)) / BigInt(positions);
  const addressBits = format === formatIpv4 ? 32 : 128;
  for (let position = 0; position < positions; position++) {
    const end = first + size * BigInt(position + 1);
    let address = first + size * BigInt(position);
    for (
      let steps = 0, records = 0;
      address < end && steps < maxSteps && records < recordsPerPosition;
      steps++
    ) {
      const found = readNetwork(reader, format(address));
      // Damaged at this position.
      if (found === undefined) break;
      const [record, prefixLength] = found;
      if (record !== null) {
        records++;
        yield record;
      }
      const network = 1n << BigInt(addressBits - prefixLength);
      address = (address / network + 1n) * network;
    }
  }
}

function readNetwork(reader: Reader<Response>, address: string): [unknown, number] | undefined {
  try {
    return reader.getWithPrefixLength(address);
  } catch {
    return undefined;
  }
}

const formatIpv4 = (address: bigint) =>
  [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join('.');

const formatIpv6 = (address: bigint) =>
  address
    .toString(16)
    .padStart(32, '0')
    .replaceAll(/(.{4})(?=.)/g, '$1:');
