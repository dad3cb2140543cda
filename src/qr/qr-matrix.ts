import { create } from 'qrcode';

export type ErrorLevel = 'L' | 'M' | 'Q' | 'H';

/** The modules of a QR code, without the margin. */
export interface QrMatrix {
  /** Modules per side. */
  size: number;
  isDark: (row: number, column: number) => boolean;
}

/** Encodes a text as QR code. */
export function encodeQr(text: string, level: ErrorLevel): QrMatrix {
  const { modules } = create(text, { errorCorrectionLevel: level });
  return { size: modules.size, isDark: (row, column) => modules.get(row, column) !== 0 };
}
