/** What a demo link is about: its tag, where it points, and who clicks it. */
export interface Section {
  tag: string;
  /** Below hosts that belong to no one (RFC 2606). */
  base: string;
  /** Expected clicks of an average link a day. */
  dailyClicks: number;
  /** Days in which half of the interest in a new link is gone; undefined for lasting interest. */
  halfLifeDays?: number;
  titles: string;
}

/** 200 links of a company that sells outdoor gear. */
export const sections: Section[] = [
  {
    tag: 'docs',
    base: 'https://docs.example.com/guides/',
    dailyClicks: 9,
    titles: `Getting started|Size guide for boots|How to wash a down jacket|Tent repair step by step|Stove safety|Waxing cotton
      |Packing list for three days|Packing list for winter|Care of merino wool|Water filters compared|Replacing a zip|Reading contour lines
      |Headlamp batteries|Warranty in plain words|Return a parcel|Bike bags: mounting|Rope inspection|Sleeping bag ratings|Backpack fitting|Map app for beginners`,
  },
  {
    tag: 'blog',
    base: 'https://blog.example.com/',
    dailyClicks: 7,
    halfLifeDays: 12,
    titles: `Five huts above two thousand metres|A week along the coast|What we learned from 1,000 repairs|Why our jackets have no logo|The quiet side of the valley
      |Night trains to the mountains|Cooking with one pot|First frost, first tour|Rain is not an excuse|Interview: a boot maker|A year without flights|Photos from the north
      |Ten walks with children|The longest ridge|Canoe weekend for beginners|Coffee outdoors|The case for old gear|Our carbon report explained|Winter camping myths
      |Maps on paper|The new workshop|Autumn colours, five routes|How we test rain gear|Solo, and not lonely|A letter from the lake|Trail etiquette|Moonlight tour
      |Hut keepers of the Alps|Spring snow|Reader photos of the month`,
  },
  {
    tag: 'shop',
    base: 'https://shop.example.com/p/',
    dailyClicks: 11,
    titles: `Ridge 2 tent|Ridge 3 tent|Alder rain jacket|Alder rain jacket, children|Birch fleece|Fjord dry bag 20 l|Fjord dry bag 40 l|Kestrel headlamp|Lark stove|Moss sleeping mat
      |Otter water filter|Pine trekking poles|Quartz boots|Quartz boots, wide|Rowan backpack 35 l|Rowan backpack 50 l|Swift running vest|Tern down jacket|Vale trousers|Wren base layer
      |Yarrow socks, set of three|Ember fire bowl|Drift canoe|Drift paddle|Heron hammock|Juniper first aid kit|Larch axe|Marten gloves|Thistle hat|Gift card`,
  },
  {
    tag: 'events',
    base: 'https://events.example.net/2026/',
    dailyClicks: 6,
    halfLifeDays: 9,
    titles: `Repair café in Leipzig|Repair café in Ghent|Open workshop|Film night: the high route|Map reading course|First aid outdoors|Climbing day for beginners|Night hike
      |Photo walk|Canoe course|Winter tour briefing|Store opening in Graz|Community clean-up|Talk: alone in Norway|Boot fitting day|Stargazing evening|Family camp
      |Trail running meet-up|Snow safety course|Summer festival`,
  },
  {
    tag: 'newsletter',
    base: 'https://blog.example.com/letters/',
    dailyClicks: 14,
    halfLifeDays: 3,
    titles: `Letter 41: new season|Letter 42: rain gear|Letter 43: huts|Letter 44: spring sale|Letter 45: repairs|Letter 46: canoe|Letter 47: children|Letter 48: maps|Letter 49: summer
      |Letter 50: readers|Letter 51: night trains|Letter 52: tents|Letter 53: cooking|Letter 54: boots|Letter 55: autumn|Letter 56: wool|Letter 57: light|Letter 58: winter
      |Letter 59: gifts|Letter 60: snow|Letter 61: workshop|Letter 62: year in photos|Letter 63: sale|Letter 64: thank you`,
  },
  {
    tag: 'campaign',
    base: 'https://shop.example.com/c/',
    dailyClicks: 22,
    halfLifeDays: 6,
    titles: `Spring sale|Summer sale|Autumn sale|Winter sale|Student discount|Bring back your jacket|Free repair week|Advent calendar|Last minute gifts|Early bird|Members only
      |Second hand weekend|Refer a friend|Free shipping weekend|Tent swap|Boot week|New season preview|Rain guarantee|Thank you offer|Store finder`,
  },
  {
    tag: 'jobs',
    base: 'https://jobs.example.com/',
    dailyClicks: 3,
    halfLifeDays: 15,
    titles: `Boot fitter, Leipzig|Buyer, outdoor textiles|Customer care, part time|Data analyst|Designer, tents|Electrician|Event manager|Front-end engineer|Logistics lead|Marketing trainee
      |Repair technician|Shop manager, Graz|Site reliability engineer|Summer internship|Tailor`,
  },
  {
    tag: 'support',
    base: 'https://support.example.com/a/',
    dailyClicks: 4,
    titles: `Track an order|Change an address|Open a return|Warranty claim|Forgotten password|Pay by invoice|Gift card balance|Spare parts|Delivery times|Store opening hours|Contact by chat
      |Cancel an order|Newsletter settings|Report a defect|Product recall 2025`,
  },
  {
    tag: 'print',
    base: 'https://www.example.com/print/',
    dailyClicks: 4,
    titles: `Poster: station|Flyer: hut register|Receipt survey|Catalogue page 4|Catalogue page 12|Catalogue page 30|Shop window QR|Tent care label|Jacket care label|Trail map backside
      |Postcard winter|Sticker set`,
  },
  {
    tag: 'partners',
    base: 'https://partners.example.org/',
    dailyClicks: 3,
    titles: `Alpine club benefits|Hut network|Night train partner|Rescue service donation|Climbing halls|University sports|Bike courier pilot|Wholesale price list|Press kit|Brand guidelines
      |Product images|Dealer login|Trade fair meeting|Sustainability audit`,
  },
];
