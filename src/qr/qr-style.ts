import type { ErrorLevel } from './qr-matrix.ts';

/** How a QR code looks. */
export interface QrStyle {
  level: ErrorLevel;
  /** Pixels of a side, margin included. */
  size: number;
  /** Modules around the code. */
  margin: number;
  /** As `#rrggbbaa`. */
  dark: string;
  light: string;
}

/** A picture of pixels has fewer of them than the code has modules. */
export class QrTooSmall extends Error {
  override readonly name = 'QrTooSmall';
  readonly leastSize: number;

  constructor(leastSize: number) {
    super(`the code and its margin are ${leastSize} modules wide`);
    this.leastSize = leastSize;
  }
}
