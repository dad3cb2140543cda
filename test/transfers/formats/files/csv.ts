import { lines, type ServiceFile } from './expected.ts';

const type = 'text/csv';

/** Synthetic files with the columns of each service's CSV export. */
export const csvFiles: ServiceFile[] = [
  {
    format: 'shlink',
    source: 'web client',
    type,
    content: lines(
      '"createdAt","domain","shortCode","shortUrl","longUrl","title","tags","visits"',
      '"2021-05-06T07:08:09+02:00","s.test","spring","https://s.test/spring","https://example.com/spring","Spring","a|b",12',
    ),
    urls: [
      {
        short_code: 'spring',
        original_url: 'https://example.com/spring',
        title: 'Spring',
        tags: ['a', 'b'],
        created_at: new Date('2021-05-06T05:08:09Z'),
        click_count: 12,
      },
    ],
  },
  {
    format: 'shlink',
    source: 'importer',
    type,
    content: lines(
      'longURL;tags;domain;short code;Title',
      'https://example.com/summer;red,blue;;summer;Summer, 2021',
    ),
    urls: [{ short_code: 'summer', tags: ['red', 'blue'], title: 'Summer, 2021' }],
  },
  {
    format: 'yourls',
    source: 'table',
    type,
    content: lines(
      'keyword,url,title,timestamp,ip,clicks',
      'autumn,https://example.com/autumn,"Autumn, ""why""",2019-08-07 06:05:04,203.0.113.77,1234',
    ),
    urls: [
      {
        short_code: 'autumn',
        title: 'Autumn, "why"',
        created_at: new Date('2019-08-07T06:05:04Z'),
        click_count: 1234,
      },
    ],
  },
  {
    format: 'bitly',
    source: 'e-mailed export',
    type,
    content: lines(
      'Link,Custom Link,Destination URL,Title,Date Created,Tags',
      'bit.ly/3winter,bit.ly/winter,https://example.com/winter,Winter,2018-01-01T00:00:00+0000,"x, y"',
      'bit.ly/3snow,,https://example.com/snow,,2018-01-01T00:00:00+0000,',
    ),
    urls: [
      { short_code: 'winter', tags: ['x', 'y'], created_at: new Date('2018-01-01T00:00:00Z') },
      { short_code: '3snow', title: null },
    ],
  },
  {
    format: 'bitly',
    source: 'links list',
    type,
    content: lines(
      'id,title,long_url,created_at,link,archived,tags,custom_bitlinks,deeplinks',
      'bit.ly/3rain,Rain,https://example.com/rain,2022-04-01T10:00:00+0000,https://bit.ly/3rain,false,a|b,,',
    ),
    urls: [{ short_code: '3rain', tags: ['a', 'b'] }],
  },
  {
    format: 'dub',
    source: 'export',
    type,
    content: lines(
      'Short link,Destination URL,Clicks,Created at,Tags,Archived',
      'https://dub.sh/cloud,https://example.com/cloud,7,2024-03-04T05:06:07.000Z,"sky, high",No',
      'https://dub.sh/docs/start,https://example.com/start,0,2024-03-04T05:06:07.000Z,,No',
    ),
    urls: [{ short_code: 'cloud', click_count: 7, tags: ['sky', 'high'] }],
    // Its last path segment would be the code of another link.
    refused: [3],
  },
  {
    format: 'dub',
    source: 'all columns',
    type,
    content: lines(
      'Link ID,Domain,Key,URL,Title,Description,Archived,Expires At,Password,Clicks,Created At',
      'link_1,dub.sh,wind,https://example.com/wind,Wind,,false,2199-01-01T00:00:00.000Z,,42,2024-04-01',
      'link_2,dub.sh,locked,https://example.com/locked,,,false,,s3cret,0,2024-04-01',
      'link_3,dub.sh,odd,https://example.com/odd,,,false,next year,,0,2024-04-01',
    ),
    urls: [{ short_code: 'wind', expires_at: new Date('2199-01-01T00:00:00Z'), click_count: 42 }],
    refused: [3, 4],
  },
  {
    format: 'rebrandly',
    source: 'export',
    type,
    content: lines(
      'title,destination,short_url,slashtag,domain,created,clicks,tags',
      'Hill,https://example.com/hill,rebrand.ly/hill,hill,rebrand.ly,2023-04-01,42,green',
    ),
    urls: [{ short_code: 'hill', title: 'Hill', tags: ['green'], click_count: 42 }],
  },
  {
    format: 'shortio',
    source: 'export',
    type,
    content: lines(
      'Original URL,Short URL,Path,Title,Tags,Created At',
      'https://example.com/lake,https://short.test/lake,lake,Lake,a|b,2022-04-01T00:00:00.000Z',
      'https://example.com/,https://short.test/,,Root,,2022-04-01T00:00:00.000Z',
    ),
    urls: [{ short_code: 'lake', title: 'Lake', tags: ['a', 'b'] }],
    // A generated code is useless to visitors who know only the domain.
    refused: [3],
  },
  {
    format: 'polr',
    source: 'table',
    type,
    content: lines(
      '"id","short_url","long_url","ip","creator","clicks","secret_key","is_disabled","is_custom","is_api","created_at","updated_at","long_url_hash"',
      '"1","river","https://example.com/river","203.0.113.5","ann","9","","0","1","0","2017-02-03 04:05:06","2017-02-03 04:05:06","123"',
      '"2","hidden","https://example.com/hidden","203.0.113.5","ann","0","k3y","0","1","0","2017-02-03 04:05:06","2017-02-03 04:05:06","123"',
      '"3","off","https://example.com/off","203.0.113.5","ann","0",\\N,"1","1","0","2017-02-03 04:05:06","2017-02-03 04:05:06","123"',
    ),
    urls: [
      { short_code: 'river', click_count: 9, is_active: true },
      { short_code: 'off', is_active: false },
    ],
    refused: [3],
  },
  {
    format: 'tinyurl',
    source: 'export',
    type,
    content: lines(
      'tiny_url,alias,url,created_at,expires_at,hits,tags',
      'https://tinyurl.com/ocean,ocean,https://example.com/ocean,2023-01-02T03:04:05+00:00,,15,blue',
    ),
    urls: [{ short_code: 'ocean', click_count: 15, tags: ['blue'] }],
  },
  {
    format: 'chhoto',
    source: 'table',
    type,
    content: lines(
      'id,long_url,short_url,hits,expiry_time,notes',
      '1,https://example.com/beach,beach,4,0,Sand',
      '2,https://example.com/dune,dune,0,7258118400,',
    ),
    urls: [
      { short_code: 'beach', expires_at: null, notes: 'Sand', click_count: 4 },
      { short_code: 'dune', expires_at: new Date('2200-01-01T00:00:00Z') },
    ],
  },
  {
    format: 'linkmill',
    source: 'export',
    type,
    content: lines(
      'short_code,original_url,created_at,expires_at,max_clicks,title,tags,click_count',
      'desert,https://example.com/desert,2020-02-03T04:05:06Z,2199-01-01T00:00:00Z,7,\'=1+1,"[""a|b""]",3',
    ),
    urls: [{ short_code: 'desert', max_clicks: 7, title: '=1+1', tags: ['a|b'], click_count: 3 }],
  },
];
