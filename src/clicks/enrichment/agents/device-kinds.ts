/** Kinds of devices that clicks come from. A kind that is not known, and that of a bot, is ''. A wearable is a watch,
 *  a pair of glasses or a headset. */
export const deviceKinds = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'wearable', 'car'] as const;
export type DeviceKind = (typeof deviceKinds)[number];
