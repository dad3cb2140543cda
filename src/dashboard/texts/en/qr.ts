/** Texts of the QR code dialog. */
export const qrTexts = {
  title: (code: string) => `QR code of ${code}`,
  alt: (url: string) => `QR code that opens ${url}`,
  dark: 'Modules',
  light: 'Background',
  level: 'Error correction',
  levels: { L: 'Low, 7 %', M: 'Medium, 15 %', Q: 'High, 25 %', H: 'Highest, 30 %' },
  margin: 'Margin in modules',
  goodContrast: (ratio: string) => `Contrast ${ratio}: scanners can read it.`,
  badContrast: (ratio: string) =>
    `Contrast ${ratio}: many scanners fail. Use a darker colour on a lighter one.`,
  smallMargin: 'Scanners need a margin of 4.',
  sheet: 'QR codes',
  print: 'Print',
  failed: 'Some QR codes could not be loaded. Reload the page before you print.',
  noCodes: 'No link is selected',
};
