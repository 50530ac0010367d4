/** What an operator may change about the look. */
export interface Branding {
  /** The product's name. */
  name: string;
  /** Stands on top of every page instead of the product's name. */
  companyName?: string | undefined;
  /** `#rrggbb`. */
  accent?: string | undefined;
  /** Path of an SVG or PNG file. */
  logo?: string | undefined;
  /** At the foot of every page. */
  links?: readonly { label: string; href: string }[] | undefined;
}

type Colour = readonly [red: number, green: number, blue: number];

const parse = (hex: string): Colour => {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!match) throw new TypeError('an accent colour is #rrggbb');
  return [
    Number.parseInt(match[1] ?? '', 16),
    Number.parseInt(match[2] ?? '', 16),
    Number.parseInt(match[3] ?? '', 16),
  ];
};
const print = (colour: Colour): string =>
  `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** Relative luminance, WCAG 2.2. */
const luminance = (colour: Colour): number => {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

/** Contrast ratio of two `#rrggbb` colours, WCAG 2.2: 1 to 21. */
export function contrast(a: string, b: string): number {
  const [bright = 0, dark = 0] = [luminance(parse(a)), luminance(parse(b))].sort((x, y) => y - x);
  return (bright + 0.05) / (dark + 0.05);
}

/** Moves `colour` towards black or white in small steps until it can be read on every one of `grounds`. */
function readable(colour: Colour, towards: Colour, grounds: readonly string[], ratio: number): Colour {
  for (let share = 0; share < 1; share += 0.02) {
    const candidate = mix(colour, towards, share);
    if (grounds.every((ground) => contrast(print(candidate), ground) >= ratio)) return candidate;
  }
  return towards;
}

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];

/** The stylesheet's own values of `--surface`, `--ground` in both themes; a test holds them together. */
export const GROUNDS = { light: ['#ffffff', '#f2f5f6'], dark: ['#17242b', '#0e181d'] } as const;

/** The accent as it can be read on the grounds of one theme, and its soft ground. */
function palette(accent: Colour, theme: 'light' | 'dark'): { accent: Colour; soft: string; towards: Colour } {
  const towards = theme === 'light' ? BLACK : WHITE;
  const soft = print(mix(parse(GROUNDS[theme][0]), accent, theme === 'light' ? 0.1 : 0.2));
  return { accent: readable(accent, towards, [...GROUNDS[theme], soft], 4.6), soft, towards };
}

function properties(accent: Colour, theme: 'light' | 'dark'): string {
  const { accent: ink, soft, towards } = palette(accent, theme);
  const onAccent = theme === 'light' ? '#ffffff' : print(mix(BLACK, accent, 0.12));
  return `--accent:${print(ink)};--accent-strong:${print(mix(ink, towards, 0.22))};--on-accent:${onAccent};--accent-soft:${soft}`;
}

/** The stylesheet's own accent. */
const DEFAULT_ACCENT = { accent: '#0f5c6e', accentDark: '#6cc4d6' };

/** The accent for light and for dark grounds, where no custom property reaches: mails. */
export function accents(branding: Pick<Branding, 'accent'>): { accent: string; accentDark: string } {
  if (!branding.accent) return DEFAULT_ACCENT;
  const colour = parse(branding.accent);
  return { accent: print(palette(colour, 'light').accent), accentDark: print(palette(colour, 'dark').accent) };
}

/**
 * The operator's accent as custom properties, for both themes: shifted as far as WCAG 2.2 1.4.3 asks (4.5:1), so that no
 * choice of colour makes a page unreadable. Empty without an accent.
 */
export function themeCss(branding: Pick<Branding, 'accent'>): string {
  if (!branding.accent) return '';
  const accent = parse(branding.accent);
  return `:root{${properties(accent, 'light')}}@media (prefers-color-scheme:dark){:root{${properties(accent, 'dark')}}}`;
}
