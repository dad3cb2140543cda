/** Fields of a network's record. */
export interface Fields {
  [name: string]: string | number | Fields;
}

/** Builds a MaxMind file with the countries of non-overlapping networks. */
export const buildCountryFile = (countries: Record<string, string>, ipVersion: 4 | 6 = 6): Buffer =>
  buildFile(
    Object.fromEntries(
      Object.entries(countries).map(([network, code]) => [network, { country: { iso_code: code } }]),
    ),
    ipVersion,
  );

/** Builds a MaxMind file with arbitrary fields. */
export function buildFile(records: Record<string, Fields>, ipVersion: 4 | 6 = 6): Buffer {
  /** A record is a node, fields as JSON, or undefined. */
  const nodes: Node[] = [[undefined, undefined]];
  for (const [network, fields] of Object.entries(records)) {
    const bits = bitsOf(network, ipVersion);
    let node = nodes[0]!;
    for (const bit of bits.slice(0, -1)) {
      if (typeof node[bit] !== 'number') {
        node[bit] = nodes.length;
        nodes.push([undefined, undefined]);
      }
      node = nodes[node[bit]]!;
    }
    node[bits.at(-1)!] = JSON.stringify(fields);
  }
  const texts = [...new Set(Object.values(records).map((fields) => JSON.stringify(fields)))];
  const data = texts.map((text) => encode(JSON.parse(text) as Fields));
  const offsets = data.map((_, i) => Buffer.concat(data.slice(0, i)).length);
  const recordOf = (record: Node[0]) => {
    if (record === undefined) return nodes.length;
    return typeof record === 'number' ? record : nodes.length + 16 + offsets[texts.indexOf(record)]!;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  nodes.flat().forEach((record, i) => tree.writeUIntBE(recordOf(record), i * 3, 3));
  const metadata = encodeMap({
    binary_format_major_version: encodeNumber(2),
    binary_format_minor_version: encodeNumber(0),
    build_epoch: encodeNumber(1_700_000_000),
    database_type: encodeText('Test-Country'),
    ip_version: encodeNumber(ipVersion),
    node_count: encodeNumber(nodes.length),
    record_size: encodeNumber(24),
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata,
  ]);
}

type Node = [number | string | undefined, number | string | undefined];

/** Returns the path from the root to a network; IPv4 networks are at the start of the IPv6 space. */
function bitsOf(network: string, ipVersion: 4 | 6): (0 | 1)[] {
  const [address, length] = network.split('/');
  const bits = address!
    .split('.')
    .flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((place) => ((Number(byte) >> place) & 1) as 0 | 1))
    .slice(0, Number(length));
  return [...Array.from({ length: ipVersion === 6 ? 96 : 0 }, () => 0 as const), ...bits];
}

const encodeText = (text: string) =>
  Buffer.concat([Buffer.from([(2 << 5) | text.length]), Buffer.from(text)]);

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = (6 << 5) | 4;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

function encode(value: Fields[string]): Buffer {
  if (typeof value === 'string') return encodeText(value);
  if (typeof value === 'number') return encodeNumber(value);
  const fields = Object.entries(value).map(([name, field]) => [name, encode(field)] as const);
  return encodeMap(Object.fromEntries(fields));
}

const encodeMap = (map: Record<string, Buffer>) =>
  Buffer.concat([
    Buffer.from([(7 << 5) | Object.keys(map).length]),
    ...Object.entries(map).flatMap(([key, value]) => [encodeText(key), value]),
  ]);
