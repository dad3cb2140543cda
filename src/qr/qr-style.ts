import type { ErrorLevel } from './qr-matrix.ts';

/** The style of a QR code. */
export interface QrStyle {
  level: ErrorLevel;
  /** Pixels per side, including the margin. */
  size: number;
  /** Margin in modules. */
  margin: number;
  /** As `#rrggbbaa`. */
  dark: string;
  light: string;
}

/** The image has fewer pixels per side than the code has modules. */
export class QrTooSmall extends Error {
  override readonly name = 'QrTooSmall';
  readonly minSize: number;

  constructor(minSize: number) {
    super(`the code and its margin are ${minSize} modules wide`);
    this.minSize = minSize;
  }
}
