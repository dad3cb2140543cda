/** A `User-Agent` with its expected values, for kinds of clients that are in no data set on npm. */
export interface WrittenAgent {
  header: string;
  browser?: string;
  os?: string;
  device?: string;
}

const iphone = (rest: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${rest}`;
const android = (model: string, rest: string) =>
  `Mozilla/5.0 (Linux; Android 14; ${model}) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`;
const webview = (rest: string) =>
  android(
    'SM-S921B Build/UP1A.231005.007; wv',
    `Version/4.0 Chrome/128.0.6613.88 Mobile Safari/537.36 ${rest}`,
  );
const desktop = (rest: string) =>
  `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) ${rest}`;

/** Apps that open links in their own web view. */
export const inAppBrowsers: WrittenAgent[] = [
  [
    'Facebook',
    iphone('Mobile/22B83 [FBAN/FBIOS;FBAV/488.0.0.68.103;FBBV/663;FBDV/iPhone15,3;FBMD/iPhone;FBSN/iOS]'),
  ],
  ['Facebook', webview('[FB_IAB/FB4A;FBAV/488.0.0.77.79;IABMV/1;]')],
  ['Facebook', webview('[FBAN/EMA;FBLC/en_US;FBAV/420.0.0.5.100;]')],
  ['Messenger', iphone('Mobile/22B83 [FBAN/MessengerForiOS;FBAV/483.0.0;FBBV/6]')],
  ['Messenger', webview('[FB_IAB/MESSENGER;FBAV/483.0.0.1;]')],
  [
    'Instagram',
    iphone(
      'Mobile/22B83 Instagram 354.0.0.32.110 (iPhone15,3; iOS 18_1; en_US; en; scale=3.00; 1290x2796; 6)',
    ),
  ],
  [
    'Instagram',
    webview(
      'Instagram 354.0.0.32.110 Android (34/14; 480dpi; 1080x2109; samsung; SM-S921B; e1s; s5e9945; en_GB; 6)',
    ),
  ],
  [
    'Threads',
    iphone('Mobile/22B83 Barcelona 355.0.0 (iPhone15,3; iOS 18_1; en_US; en; scale=3.00; 1290x2796; 6)'),
  ],
  [
    'TikTok',
    iphone(
      'Mobile/15E148 musical_ly_36.8.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US',
    ),
  ],
  [
    'TikTok',
    webview(
      'trill_360804 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/36.8.4 ByteLocale/en',
    ),
  ],
  ['WeChat', iphone('Mobile/15E148 MicroMessenger/8.0.53(0x18003531) NetType/WIFI Language/zh_CN')],
  [
    'WeChat',
    webview(
      'XWEB/1300073 MMWEBSDK/20240802 MMWEBID/1 MicroMessenger/8.0.53.2740(0x28003533) WeChat/arm64 Weixin',
    ),
  ],
  ['LINE', iphone('Mobile/22B83 Safari Line/14.17.0')],
  ['LINE', webview('Line/14.17.1/IAB')],
  ['Snapchat', iphone('Version/18.1 Mobile/15E148 Snapchat/13.16.0.44 (like Safari/8619.2.8.10.9, panda)')],
  ['Snapchat', webview('Snapchat/13.16.0.36 (SM-S921B; Android 14#S921BXXS4AXK4#34; gzip; )')],
  ['LinkedIn', iphone('Mobile/22B83 [LinkedInApp]/9.30.2482')],
  ['LinkedIn', webview('[LinkedInApp]')],
  ['Pinterest', iphone('Mobile/22B83 [Pinterest/iOS]')],
  ['Pinterest', webview('[Pinterest/Android]')],
  ['Twitter', iphone('Mobile/22B83 Twitter for iPhone/10.67')],
  ['Twitter', webview('TwitterAndroid')],
  ['Google Search', iphone('GSA/343.0.694 Mobile/15E148 Safari/604.1')],
  ['Google Search', webview('GSA/15.45.36.28.arm64')],
  ['KakaoTalk', iphone('Mobile/22B83 KAKAOTALK 11.3.0')],
  ['Naver', iphone('Version/18.0 Mobile/15E148 Safari/605.1 NAVER(inapp; search; 1020; 12.9.7; 15PRO)')],
  ['Telegram', webview('Telegram-Android/11.4.2 (Samsung SM-S921B; Android 14; SDK 34; HIGH)')],
  ['Viber', webview('Viber/23.3.0.5')],
  ['Zalo', webview('Zalo android/24110742 ZaloTheme/light ZaloLanguage/vi')],
  ['Reddit', iphone('Mobile/22B83 Reddit/Version 2024.46.0/Build 619131/iOS Version 18.1')],
].map(([browser, header]) => ({ browser, header: header!, device: 'mobile' }));

/** Browsers that are easily mistaken for another one. */
export const writtenBrowsers: WrittenAgent[] = [
  {
    browser: 'Chrome',
    os: 'Chrome OS',
    device: 'desktop',
    header:
      'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  },
  {
    os: 'Chrome OS',
    device: 'desktop',
    header:
      'Mozilla/5.0 (Linux; Android 11; Acer Chromebook 514 Build/R115-15474.70.0; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/115.0.5790.160 Safari/537.36',
  },
  {
    browser: 'Opera',
    os: 'Windows',
    device: 'desktop',
    header: desktop('Chrome/130.0.0.0 Safari/537.36 OPR/115.0.0.0'),
  },
  { browser: 'Vivaldi', header: desktop('Chrome/130.0.0.0 Safari/537.36 Vivaldi/7.0.3495.6') },
  { browser: 'Yandex Browser', header: desktop('Chrome/128.0.0.0 YaBrowser/24.10.0.0 Safari/537.36') },
  {
    browser: 'DuckDuckGo',
    device: 'mobile',
    header: iphone('Version/18.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15'),
  },
  {
    browser: 'Microsoft Edge',
    device: 'mobile',
    header: iphone('Version/18.0 EdgiOS/131.0.2903.48 Mobile/15E148 Safari/604.1'),
  },
  { browser: 'Firefox', device: 'mobile', header: iphone('FxiOS/132.0 Mobile/15E148 Safari/605.1.15') },
  { browser: 'Chrome', device: 'mobile', header: iphone('CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1') },
  {
    browser: 'MIUI Browser',
    device: 'mobile',
    header: android(
      '2201117TG Build/UKQ1.231003.002',
      'Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.20.1-gn',
    ),
  },
  {
    browser: 'Huawei Browser',
    device: 'mobile',
    header: android('LIO-L29', 'Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36'),
  },
  {
    browser: 'UC Browser',
    device: 'mobile',
    header: android('RMX3710', 'Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.7.8.1317 Mobile Safari/537.36'),
  },
  {
    browser: 'Internet Explorer',
    os: 'Windows',
    device: 'desktop',
    header: 'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko',
  },
];

/** TVs, consoles, wearables and cars. */
export const writtenDevices: WrittenAgent[] = [
  [
    'tv',
    'Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/3.0 Chrome/94.0.4606.31 TV Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 12; BRAVIA 4K VH22 Build/SAGAR; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/110.0.5481.65 Mobile Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7646) AppleWebKit/537.36 (KHTML, like Gecko) Silk/110.5.2 like Chrome/110.0.5481.154 Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 11; MiTV-AXSO0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 12.0; Chromecast HD Build/STTE.231215.005) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.6045.66 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 9; X96 Max Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/100.0.4896.127 Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (Linux; Android 11; 55UHD7300 Build/RTT2; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/95.0.4638.74 Mobile Safari/537.36',
  ],
  [
    'tv',
    'Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0.4324.182 Odin/88.4324.2.10 Safari/537.36 Model/Hisense-MT9602 VIDAA/6.0',
  ],
  ['tv', 'Roku/DVP-14.0 (14.0.4.4521-C2)'],
  ['tv', 'AppleTV11,1/18.1'],
  ['tv', 'HbbTV/1.6.1 (+DRM;Samsung;SmartTV2023:QA55QN90C;T-PTMDEUC-1004.1;PTM;) Tizen/7.0 Chrome/94'],
  [
    'console',
    'Mozilla/5.0 (PlayStation; PlayStation 5/9.20) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Safari/605.1.15',
  ],
  ['console', 'Mozilla/5.0 (PlayStation 4 12.00) AppleWebKit/605.1.15 (KHTML, like Gecko)'],
  [
    'console',
    'Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/613.0 (KHTML, like Gecko) NF/6.0.3.26.8 NintendoBrowser/5.1.0.33857',
  ],
  [
    'console',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edge/44.18363.8131',
  ],
  [
    'console',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Valve Steam GameOverlay/1709846872 Chrome/109.0.5414.120 Safari/537.36 Steam Deck',
  ],
  [
    'wearable',
    'Mozilla/5.0 (Linux; Android 13; Pixel Watch 2 Build/TWD9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36',
  ],
  [
    'wearable',
    'Mozilla/5.0 (Linux; Android 11; SAMSUNG SM-R890) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/6.0 Chrome/92.0 Mobile Safari/537.36',
  ],
  ['wearable', 'atc/1.0 watchOS/10.1 model/Watch6,6 hwp/t8301 build/21S71 (6; dt:272)'],
  [
    'wearable',
    'Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/35.3.0 Chrome/128.0.6613.146 VR Safari/537.36',
  ],
  [
    'car',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.225 Safari/537.36 Tesla/2024.38.7-6b1a7c2d',
  ],
  [
    'car',
    'Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/601.1 (KHTML, like Gecko) Tesla QtCarBrowser Safari/601.1',
  ],
  [
    'car',
    'Mozilla/5.0 (Linux; Android 12; Polestar 2 Build/SQ1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/121.0.6167.178 Safari/537.36',
  ],
  [
    'car',
    'Mozilla/5.0 (Linux; Android 12; DiLink 4.0 for BYD AUTO) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.5414.86 Safari/537.36',
  ],
].map(([device, header]) => ({ device, header: header! }));

/** Programs of people that are easily mistaken for bots. */
export const programs: WrittenAgent[] = [
  {
    browser: 'Microsoft Word',
    device: 'mobile',
    header: 'Microsoft Office Word/2.91.1119 (iOS/18.1; Phone; en-US; AppStore; Apple/iPhone15,3)',
  },
  {
    browser: 'Microsoft Excel',
    header: 'Microsoft Office Excel/16.0.18129.20100 (Android/14; Phone; en-US; PlayStore; samsung/SM-S921B)',
  },
  {
    browser: 'Microsoft PowerPoint',
    header: 'Microsoft Office PowerPoint/2.91.1119 (iOS/18.1; Tablet; de-DE; AppStore; Apple/iPad14,3)',
  },
  {
    browser: 'Microsoft OneNote',
    header: 'Microsoft Office OneNote/16.91.24111020 (Mac OS/15.1; Desktop; en-US; AppStore; Apple/Mac15,3)',
  },
  {
    browser: 'Microsoft Outlook',
    device: 'desktop',
    header: 'Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)',
  },
  {
    browser: 'NetNewsWire',
    header:
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) NetNewsWire/6.1.5',
  },
  { browser: 'Reeder', header: 'Reeder/5040101 CFNetwork/1568.200.51 Darwin/24.1.0' },
  {
    browser: 'FeedDemon',
    device: 'desktop',
    header: 'FeedDemon/4.5 (http://www.feeddemon.com/; Microsoft Windows)',
  },
  {
    browser: 'QuiteRSS',
    header:
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/602.1 (KHTML, like Gecko) QuiteRSS/0.19.4 Safari/602.1',
  },
  {
    browser: 'Thunderbird',
    header: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.3',
  },
  {
    browser: 'UC Browser',
    header:
      'dv(iPh14,2);pr(UCBrowser/13.9.8.1767);ov(18_1);ss(375x667);bt(UC);pm(0);bv(0);nm(0);im(0);nt(2);',
  },
];
