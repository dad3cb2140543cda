/** Relative luminance of a colour such as #1a2b3c (WCAG 2.2). */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const value = parseInt(colour.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio of a dark colour on a light one, from 1 to 21; below 1 if they are the wrong way round. */
export const contrastOf = (dark: string, light: string): number =>
  (luminanceOf(light) + 0.05) / (luminanceOf(dark) + 0.05);
