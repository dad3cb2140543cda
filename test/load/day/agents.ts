/** A `User-Agent` with the names that a person would give its client. */
export interface Agent {
  header: string;
  browser: string;
  os: string;
  device: string;
  isBot: boolean;
}

/** Versions of one browser on one system, with their expected names. */
interface Kind {
  names: [browser: string, os: string, device: string];
  versions: number;
  write: (version: number) => string;
}

const windows = 'Windows NT 10.0; Win64; x64';
const mac = 'Macintosh; Intel Mac OS X 10_15_7';
const linux = 'X11; Linux x86_64';
const phone = 'Linux; Android 10; K';
const iphone = 'iPhone; CPU iPhone OS 17_5 like Mac OS X';

const chrome = (system: string, version: number, after = '', before = '') =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 ${before}Safari/537.36${after}`;
const firefox = (system: string, version: number) =>
  `Mozilla/5.0 (${system}; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`;
const safari = (system: string, version: number) =>
  `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version / 10} Safari/605.1.15`;
const onIos = (system: string, product: string) =>
  `Mozilla/5.0 (${system}) AppleWebKit/605.1.15 (KHTML, like Gecko) ${product} Mobile/15E148 Safari/604.1`;
const samsung = (device: string, version: number, mobile = '') =>
  chrome(`Linux; Android 13; ${device}`, 115, '', mobile).replace(
    'Chrome/',
    `SamsungBrowser/${version}.0 Chrome/`,
  );

/** The most common first. */
const kinds: Kind[] = [
  {
    names: ['Chrome', 'Android', 'mobile'],
    versions: 55,
    write: (n) => chrome(phone, 85 + n, '', 'Mobile '),
  },
  { names: ['Chrome', 'Windows', 'desktop'], versions: 60, write: (n) => chrome(windows, 80 + n) },
  {
    names: ['Safari', 'iOS', 'mobile'],
    versions: 45,
    write: (n) => onIos(iphone, `Version/${(130 + n) / 10}`),
  },
  { names: ['Chrome', 'macOS', 'desktop'], versions: 40, write: (n) => chrome(mac, 100 + n) },
  {
    names: ['Microsoft Edge', 'Windows', 'desktop'],
    versions: 35,
    write: (n) => chrome(windows, 105 + n, ` Edg/${105 + n}.0.0.0`),
  },
  { names: ['Firefox', 'Windows', 'desktop'], versions: 35, write: (n) => firefox(windows, 105 + n) },
  {
    names: ['Samsung Internet for Android', 'Android', 'mobile'],
    versions: 15,
    write: (n) => samsung('SM-S911B', 12 + n, 'Mobile '),
  },
  { names: ['Safari', 'macOS', 'desktop'], versions: 25, write: (n) => safari(mac, 150 + n) },
  {
    names: ['Safari', 'iOS', 'tablet'],
    versions: 15,
    write: (n) => onIos(`iPad; CPU OS 16_${n} like Mac OS X`, 'Version/16.6'),
  },
  { names: ['Chrome', 'Linux', 'desktop'], versions: 20, write: (n) => chrome(linux, 120 + n) },
  { names: ['Firefox', 'Linux', 'desktop'], versions: 20, write: (n) => firefox(linux, 120 + n) },
  {
    names: ['Chrome', 'iOS', 'mobile'],
    versions: 20,
    write: (n) => onIos(iphone, `CriOS/${120 + n}.0.6422.80`),
  },
  {
    names: ['Opera', 'Windows', 'desktop'],
    versions: 15,
    write: (n) => chrome(windows, 110 + n, ` OPR/${96 + n}.0.0.0`),
  },
  { names: ['Firefox', 'macOS', 'desktop'], versions: 15, write: (n) => firefox(mac, 125 + n) },
  {
    names: ['Firefox', 'Android', 'mobile'],
    versions: 15,
    write: (n) => `Mozilla/5.0 (Android 14; Mobile; rv:${125 + n}.0) Gecko/${125 + n}.0 Firefox/${125 + n}.0`,
  },
  {
    names: ['Chrome', 'Android', 'tablet'],
    versions: 10,
    write: (n) => chrome('Linux; Android 13; SM-X700', 125 + n),
  },
  {
    names: ['Microsoft Edge', 'macOS', 'desktop'],
    versions: 5,
    write: (n) => chrome(mac, 125 + n, ` Edg/${125 + n}.0.0.0`),
  },
  {
    names: ['Microsoft Edge', 'Android', 'mobile'],
    versions: 5,
    write: (n) => chrome(phone, 125 + n, ` EdgA/${125 + n}.0.0.0`, 'Mobile '),
  },
  {
    names: ['Opera', 'Android', 'mobile'],
    versions: 5,
    write: (n) => chrome(phone, 120 + n, ` OPR/${80 + n}.0.0.0`, 'Mobile '),
  },
  {
    names: ['Firefox', 'iOS', 'mobile'],
    versions: 5,
    write: (n) => onIos(iphone, `FxiOS/${125 + n}.0`),
  },
  {
    names: ['Chrome', 'Chrome OS', 'desktop'],
    versions: 5,
    write: (n) => chrome('X11; CrOS x86_64 14541.0.0', 125 + n),
  },
  {
    names: ['Vivaldi', 'Windows', 'desktop'],
    versions: 3,
    write: (n) => chrome(windows, 120, ` Vivaldi/6.${n}`),
  },
  {
    names: ['Yandex Browser', 'Windows', 'desktop'],
    versions: 2,
    write: (n) => chrome(windows, 122, '', `YaBrowser/24.${n}.0.0 `),
  },
];

/** The agents of people, the most common kinds first, one version of each in turn. */
export const personAgents: Agent[] = kinds
  .flatMap(({ names: [browser, os, device], versions, write }) =>
    Array.from({ length: versions }, (_, n) => ({
      n,
      agent: { header: write(n), browser, os, device, isBot: false },
    })),
  )
  .toSorted((a, b) => a.n - b.n)
  .map(({ agent }) => agent);
