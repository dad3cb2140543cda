import type { Reader, Response } from 'maxmind';

/** Places of the address space from which networks are read, and records that are taken from each. */
const places = 16;
const recordsPerPlace = 20;
/** Networks without a record that are passed at most at each place. */
const maxSteps = 500;

/** Some records of a file, from all over the address space: at most 320. Takes some milliseconds. */
export function* sampleRecords(reader: Reader<Response>): Generator {
  yield* sampleSpace(reader, { bits: 32, first: 0n, format: formatIpv4 });
  // Global unicast: the first eighth is 2000::/3.
  if (reader.metadata.ipVersion === 6)
    yield* sampleSpace(reader, { bits: 125, first: 1n << 125n, format: formatIpv6 });
}

interface Space {
  /** The space has 2 ** bits addresses from `first` on. */
  bits: number;
  first: bigint;
  format: (address: bigint) => string;
}

function* sampleSpace(reader: Reader<Response>, { bits, first, format }: Space): Generator {
  const size = (1n << BigInt(bits)) / BigInt(places);
  const addressBits = format === formatIpv4 ? 32 : 128;
  for (let place = 0; place < places; place++) {
    const end = first + size * BigInt(place + 1);
    let address = first + size * BigInt(place);
    for (
      let steps = 0, records = 0;
      address < end && steps < maxSteps && records < recordsPerPlace;
      steps++
    ) {
      const found = readNetwork(reader, format(address));
      // Damaged in this place.
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
