/** Texts that commonly break software. */
export const hostileTexts = Object.values({
  empty: ['', ' ', '\t', '\ufeff'],
  controls: ['\u0000', 'a\u0000b', '\r\nx-injected: yes', '\u007f', '\u0085', '\u2028'],
  unicode: ['\ud800', 'a\udfffb', 'é', 'e\u0301', 'ß', 'İ', '１２', '👩‍👩‍👧', '\u202egpj.exe'],
  wildcards: ['%', '_', '%%', '\\', '\\\\', '*', '(', '[', '?'],
  quotes: ['"', "'", "' or 1=1 --", '"; drop table urls; --', '$1', ':name', 'a="b'],
  paths: ['../../etc/passwd', '..%2f..%2f', '.', '..', '/', '//'],
  escapes: ['%2e%2e', '%00', '%zz', '%c0%af', 'a+b', '#', '&', ';', ','],
  words: ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'true', '{}'],
  numbers: ['0', '-0', '-1', '1.5', '1e3', '1e999', 'NaN', 'Infinity', '0x10'],
  bigNumbers: ['2147483648', '9007199254740993', '9223372036854775808', '9'.repeat(400)],
  times: ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '+010000-01-01T00:00:00Z'],
  noTimes: ['2027-02-30T00:00:00Z', '2016-12-31T23:59:60Z', '2027-01-01', 'today'],
  farZones: ['0001-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59'],
  urls: ['https://example.com', 'HTTP://EXAMPLE.COM./a b?c#d', 'https://例え.jp/パス?q=\ud800'],
  ownUrls: ['http://127.0.0.1:1/', 'http://[::1]/', 'http://0x7f.1/', 'https://user:secret@example.com/'],
  noUrls: ['https://xn--/', 'https://ex%61mple.com/%zz', 'javascript:alert(1)', 'data:text/html,x'],
  markup: ['https://a.example/<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '{{7*7}}'],
  cells: ['=cmd|calc!A0', 'a,b\r\nc', '"a""b"'],
  headers: ['text/html', '*/*', 'W/"1"', '"1"', 'Bearer', 'bytes=0-1', 'gzip', '127.0.0.1'],
  long: ['a\u0300'.repeat(200), '1'.repeat(70_000)],
}).flat();

/** Request bodies that match no schema. */
export const hostileBodies = Object.values({
  empty: ['', ' ', '\u0000'],
  scalars: ['null', '"x"', '[]', '1e400'],
  malformed: ['{', '}', '{"a":1}}', "{'a':1}", '{"a":01}', '{"a":NaN}', '\ufeff{}'],
  twice: ['{"original_url":"https://example.com/","original_url":1}'],
  prototypes: ['{"__proto__":{"x":1},"original_url":"x"}', '{"constructor":{"prototype":{"x":1}}}'],
  surrogates: ['{"original_url":"\\ud800"}', '{"original_url":"https://example.com/\\u0000"}'],
  nested: ['['.repeat(20_000), '{"a":'.repeat(9_000)],
  long: [`{"a":"${'x'.repeat(70_000)}"}`],
  others: ['a=b&c=d', '--x\r\n\r\n--x--', 'short_code,original_url\r\na,https://example.com/\r\n', 'a,"b\nc'],
}).flat();
