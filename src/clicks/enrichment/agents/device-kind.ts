import type { DeviceKind } from './device-kinds.ts';

interface Rule {
  kind: DeviceKind;
  header?: RegExp;
  /** Matches the model name of an Android device. */
  model?: RegExp;
}

/** Returns the device type of a `User-Agent`, or '' when it names none. The first matching rule decides: special
 *  devices pretend to be phones, tablets and desktops, never the reverse. */
export function readDeviceKind(header: string): DeviceKind | '' {
  const model = readModel(header);
  const rule = rules.find((rule) => rule.header?.test(header) || (model !== '' && rule.model?.test(model)));
  return rule?.kind ?? '';
}

/** Extracts the model name, build and remaining text after the Android version, without the language. The bounded
 *  match keeps the model patterns linear: no header makes them restart at each position. */
function readModel(header: string): string {
  const start = header.search(/andr[o0]id\b/i);
  if (start === -1) return '';
  const found = /^andr.id[^;)]{0,30};(?: ?[a-z]{2}[-_][a-z]{2,4};)? *([^]{1,80})/i.exec(
    header.slice(start, start + 140),
  );
  return found?.[1] ?? '';
}

const any = (...patterns: RegExp[]) => new RegExp(patterns.map(({ source }) => source).join('|'), 'i');
const model = (...names: string[]) => new RegExp(`^(?:${names.join('|')})`, 'i');

const console = any(
  /nintendo|playstation|\bps[2-5]\b|\bpsp\b|xbox|\bouya\b|gamepad|segasaturn|sega dreamcast/,
  /retroid|steam deck|steam gameoverlay|anbernic|razer edge|; ?shield (?:build|portable)|ayaneo|odin2|jxd_s\d/,
);
const consoleModel = model('RG ?\\d{3}', 'RG ?CUBE', 'Switch(?: lite| oled)?[);]');

const car = any(/\btesla\/|qtcarbrowser|android automotive|carbrowser|\bbyd auto|\bdilink/);
const carModel = model(
  'carpad',
  'KZCAR',
  '(?:quad|octa|octopus)-?core[ -][TR]\\d',
  'UltraOcta',
  '\\w*8227L',
  'polestar',
  'MPC-\\d',
  'SDA-\\d',
  'YT[579]\\d{3}',
  'porsche',
  'benz',
  'audi_',
  'ks1280x480',
  'AFTL[BF]T962',
  'volvo|gminfo|renault|AIVI-',
  'airtouch perf',
  'DUDU\\d',
  'F921\\dA?',
  'sp9853i_1h10_vmm',
);

const wearable = any(
  /watch ?os|apple watch|\bwatch\d+,\d|watchapp|wear ?os|zenwatch|galaxy watch|pixel watch|\bgt watch|smart ?watch|garmin(?!-asus|fone)|forerunner|gear live|g watch|leo-[bd]\w|fitbit/,
  /\bSM-[RL]\d{3}|tizen[^)]*(?:gear s\d|SM-R)|android wear|; sawfish|oculus|oculus|; quest(?: [23]| pro|\))|pico (?:g2|neo|4)|; ?vive|wolvic|mobile vr|ticwatch|; glass 1/,
);
const wearableModel = model(
  '(?:LEM|KOM|DM|KW|Z)\\d* ?watch',
  'moto 360',
  'ticwatch',
  'huawei watch',
  'LEMFO',
  'DM\\d{2,3}[ );]',
  'KW\\d{2}[ );]',
  'LEM\\d',
  'VRL\\d|VR-1|OW(?:19|20)W\\d|THOR (?:4|S|PRO)|GEOZON|KidPhone|X9 CALL|APPLLP|OPTIMUS|CRONOS',
);

/** Computers that run Android programs, or that use the `User-Agent` of Apple's network library. */
const androidComputer = model(
  '[\\w ]*?(?:chromebook|notebook|netbook|pixelbook|inspiron|travelmate|vostro|aspire (?:[a-z]\\w?-|\\d)|satellite|lifebook|latitude|thinkpad|ideapad|vivobook|zenbook|easynote|swift sf|nuc\\d|waydroid|aio\\b)',
);
const appleComputer =
  /cfnetwork[^]*(?:x86_64|i386|power(?:%20| )macintosh|mac(?:book|mini|pro)|imac)|chromebook|pixelbook/i;

/** Many TV models contain the screen size, 19 to 98 inches. */
const inches = '(?:19|2[2-48]|3[29]|4[0-3]|4[89]|5[0585]|58|6[05]|7[057]|8[256]|9[08])';

const tv = any(
  /hbbtv|smart-?tv|smart_tv|smarttv|\bdtv\b|\btv\b|_tv_|netcast|web0s|webos\.tv|googletv|google tv|appletv|apple tv|\bce-html|nettv|netrange|espial/,
  /bravia|viera|aquos(?:browser|-)|\bvidaa|vizio|\bviz?ios|roku|crkey|chromecast|\bmaple ?20|smarthub|opera tv|\bomi\/|philipstv|philips-?tv/,
  /inettvbrowser|large screen|tvbro|\(dtv|dlnadoc|set.?top|\bstb\b|tv ?box|\bott\b|mag ?2\d\d|kylo\/|boxee|popcorn hour|freebox|fire ?tv|mibox|mi ?box/,
  /linux (?:mips|sh4)|brightsign|tivo|kreatv|linux armv[67]l.*(?:qtwebengine|presto)|kepler\/|sigmadesigns|virginmedia|wpe sky|androidtv|android tv|tivi|tvos|\btcl\/|loewe|metz|technisat|humax|vestel|sonycebrowser|antgalio|coolita|whaleos|tizen[^)]*\) applewebkit[^(]*\(khtml, like gecko\) ?version\/\S+ tv|tvsafari/,
);
const tvBox = model(
  'AFT[A-Z0-9]+',
  '[\\w -]*(?:[^d]tv|smart ?box|multimedia box|android box|speedbox|vibox|mbox|shell|4k|mini pc)(?:[ _\\d).;-]|v\\d)',
  '[\\w -]*(?:led|qled|oled|uhd)[- _]?\\d{2}',
  'H\\d{2}[FUBQ]\\d{4}',
  '(?:MXQ|TX\\d|X9[68]|X88|T9[5-8]|H9[68]|H20|HK1|A95X|M8S|Q plus|Q\\+|MX10|KM[289]|KM9PRO|K2 PRO|S9[05]|Z[24]X?|V88|R-?TV|tanix|beelink|minix|neo-[xu]\\d|zidoo|mecool|ugoos|ematic|jetstream|vontar|transpeed|vega s|rombica|alfawise|scishion|sunvell|nexbox|dreamstar|egreat|himedia|dune|nvidia shield|shield android|onn|GTKing|formuler|[\\w ]*pendoo|iconbit|sunwell|selenga|vinabox|kb2 pro|rkm|k[mi]\\d pro|X6-PRO|abox|RST_B|A5X|XDS\\d|VIP\\d{4}|YNDX-000|IP ?TV)',
  '[\\w .+-]*box(?:[ _\\d).;+-]|$)|boxd\\d|[\\w -]*stream(?:er|ing|_| one)',
  'ATOM-\\d{3}|ABX-|(?:[\\w]*[ _])?NEXON|VMP-?0|VORKE|YUNDOO|YUTMART|Orbsmart|Ozone ?HD|EVPAD|KI{1,3} (?:PLUS|PRO)|GT1-?mini|KM[567]\\b|TOX\\d|RED \\d0|Dolamee|Matador|Movix|CT-8\\d{3}|AS51\\d|SDOTT|SDSTB|NV\\d{3}W|[AB]-STREAM|Perfeo_PF_A|GR\\d{5}|INVIN|Draco|EC6108|rk3\\d{3}|mk808|hiremco|orion r|r68|s[678]00 max|spc_alien|viva_home|eagle (?:elite|gold|classic)|amigo7|kant-3|netta|andowl|tr99|MAG425|LimeT|x92[);]|8k|[36]\\d{3}HD',
  'BeyondTV|JBL Bar|BRAVIA|MagentaTV|NEXUS PLAYER|ADT-\\d|Chromecast|SHIELD|UIE\\d{4}|B\\d{3}VTV|DV\\d{4}|BRAVIA|Full AOSP on|Freebox|BouygtelTV|Bbox|Sfr|IPBox',
);

/** TV makers write models in capitals: `LG 32LEX-7154`, `H50F8000Q`. Phone models have digits before the size, or
 *  fewer characters after it. */
const tvScreen = new RegExp(
  `^(?:[A-Za-z]{1,20}[ _-]){0,3}[A-Z]*[ _-]?${inches}[ _-]?(?:[A-Z]{1,4}\\d{2,}|[A-Z]{3,}|[A-Z]{2}\\d)`,
);

const tablet = any(
  /ipad|tablet(?! pc)|\btab\b|playbook|kindle|hp-tablet|touchpad|\bsilk\/|xoom|nook|mediapad|matepad|\bpadfone|ideatab|galaxytab|kobo|pocketbook|sailfish.*tablet/,
  /windows nt[^)]*; ?arm; ?[^)]*touch/,
  /\/apad\b|hd tab|transformer|yoga tab|archos ?(?:\d{2,3}|arnova)|nexus ?(?:7|9|10)\b/,
);
const tabletModel = model(
  '[\\w ./-]*(?:tab|pad)(?:[^a-z]|let|$)',
  'SM-[TPX]\\d',
  'GT-[PN](?:[1578]\\d|51|80)',
  'KF[A-Z]{2,}',
  'lenovo (?:TB|YT|A7600|A3[35]00|A5500|B[68]0|TAB|S6000|S2109)',
  'TB-?[X\\dJ]',
  'AGS\\d?-|BAH\\d?-|SHT-|KOB\\d?-|BTV-|CMR-|DBY-|WGR-|MRX-|SCMR?-|AGR-|VRD-|JDN\\d?-|CPN-|BGO-|BG2-|BZT\\d?-|T1[- _]\\d|AGM3|FDR-|MON-|HDN-|DBR-|BTK|GOT-|PDT|VEN-|HEY\\d|KJR|ELN-|ROD2?-',
  'P0[012]\\w|K0[01]\\w|ME\\d{3}|TF\\d{3}|Z5[08]\\d[CKM]',
  'Xiaomi Pad|M[iI] ?PAD|2[12]0\\w+pad',
  'SGP\\d|SO-0[35]E|Sony Tablet',
  'A1-\\d{3}|A[57]00|B[13]-\\w{3,4}[ );]|Iconia',
  'LG-V\\d{3}|VK\\d{3}',
  'T?P[A-Z]?\\d{4}[A-Z]?[ );]*tab',
  'Pixel (?:C|Tablet)',
  'RMP\\d{4}|OPD\\d{4}',
  'TM\\d{3,4}|MID\\d?|WTB?\\d|X\\d{3}F|ODYS[ _-]|PMT\\d|PMP\\d|GOCLEVER|Prestigio|TURBO|Trekstor|SurfTab|DIGMA|DEXP Ursus|Irbis TZ|4Good T|Venue \\d|Dell Venue|TPC|Lifetab|CUBE|ONDA|Teclast|CHUWI|ALLDOCUBE|Blackview Tab',
  'BQ(?:-|ru-)(?:7|8|10)\\d{2,3}[GL]|Nomi_C\\d|[\\w .]+[CTPSN][STV]\\d{4}[PMR][GLW]\\b|TZ\\d{2,3}|PSP7\\d{3}|(?:TF-|PMID|T)?MID|TM-\\w?\\d{3}|RC[T0]\\d|Hope[78]|ALFA_?10|ML\\d\\d-M7|M7[_-]|TECNO P70|\\w* ?t1001|CCIT|iPA2\\d|Readboy|QS\\d{4}D|SC-06D|GT-P31|N5100|SCH-I800',
  'NB\\d|QMV7|HP (?:Slate|Pro|\\d{1,2} )',
);

/** Android without "Mobile" means a tablet, a convention of Android browsers, unless it is an app on a phone. */
const mobile = any(
  /\bmobile\b|mobi\b|iphone|ipod|windows phone|windows ce|iemobile|blackberry|\bbb10|symbian|series ?[346]0|nokia|\bs60\b|j2me|midp|cldc|opera mini|opera mobi|ucweb|ucbrowser/,
  /kaios|palm|webos\/|hpwos|\bbada\b|maemo|meego|samsung-|sonyericsson|\bmot-|\blg-|lge[ -]|htc[_ -]|docomo|kddi|up\.browser|vodafone|portalmmm|netfront|obigo|openwave|wap|dalvik|\bios\b|cfnetwork\/\S+ darwin/,
);

const androidTablet = /^(?!.*\b(?:mobile|phone|dalvik|okhttp)\b).*\bandroid/i;

const desktop = any(
  /windows nt|windows (?:9|2000|xp|me)|win(?:9[58]|dows|32|64)|macintosh|mac os|mac_powerpc|macos|\bx11\b|linux (?:x86_64|i[3-6]86|amd64)|cros |openbsd|freebsd|netbsd|sunos|ubuntu|fedora|amiga|beos|haiku|\bos\/2|risc os|linux|irix|hp-ux|darwin/,
);

const rules: Rule[] = [
  { kind: 'console', header: console, model: consoleModel },
  { kind: 'car', header: car, model: carModel },
  { kind: 'wearable', header: wearable, model: wearableModel },
  { kind: 'desktop', header: appleComputer, model: androidComputer },
  { kind: 'tv', header: tv, model: tvBox },
  { kind: 'tv', model: tvScreen },
  { kind: 'tablet', header: tablet, model: tabletModel },
  { kind: 'mobile', header: /\b(?:iphone|ipod)\b/i },
  { kind: 'tablet', header: androidTablet },
  { kind: 'mobile', header: mobile },
  { kind: 'mobile', header: /android/i },
  { kind: 'desktop', header: desktop },
];
