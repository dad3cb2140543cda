import { create } from 'qrcode';

export type ErrorLevel = 'L' | 'M' | 'Q' | 'H';

/** The dark and light modules of a QR code, in rows, without the margin. */
export interface QrMatrix {
  /** Modules in a row, and rows. */
  size: number;
  isDark: (row: number, column: number) => boolean;
}

/** The QR code that says `text`. */
export function encodeQr(text: string, level: ErrorLevel): QrMatrix {
  const { modules } = create(text, { errorCorrectionLevel: level });
  return { size: modules.size, isDark: (row, column) => modules.get(row, column) !== 0 };
}
