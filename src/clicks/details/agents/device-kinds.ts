/** Kinds of devices that clicks come from. A kind that is not known, and that of a bot, is ''. */
export const deviceKinds = ['desktop', 'mobile', 'tablet', 'tv', 'console', 'watch', 'car'] as const;
export type DeviceKind = (typeof deviceKinds)[number];
