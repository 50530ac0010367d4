import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadAssets } from '../../src/http/assets.js';
import { contrast, GROUNDS, themeCss } from '../../src/http/theme.js';

const css = String(loadAssets().files.get('countersign.css')?.body);
/** The custom properties of one theme. */
const tokens = (block: string): Record<string, string> =>
  Object.fromEntries(
    [...block.matchAll(/(--[a-z0-9-]+):\s*(#[0-9a-f]{3,6})\b/g)].map(([, name, value]) => [name, long(value)]),
  );
const long = (hex = ''): string => (hex.length === 4 ? hex.replace(/[0-9a-f]/g, '$&$&') : hex);
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');
const themes = { light: tokens(light), dark: { ...tokens(light), ...tokens(dark.slice(0, dark.indexOf('}'))) } };

test('the pages stay light: one stylesheet under 20 kB, the console one more; scripts under 15 kB together', () => {
  const { files } = loadAssets();
  expect([...files.keys()].filter((name) => name.endsWith('.css'))).toEqual([
    'api-docs.css',
    'console.css',
    'countersign.css',
  ]);
  expect(files.get('api-docs.css')?.body.length).toBeLessThan(5_000);
  expect(files.get('console.css')?.body.length).toBeLessThan(20_000);
  expect(files.get('countersign.css')?.body.length).toBeLessThan(20_000);
  const scripts = [...files].filter(([name]) => name.endsWith('.js'));
  expect(scripts.reduce((sum, [, { body }]) => sum + body.length, 0)).toBeLessThan(15_000);
  for (const [, { body }] of [...files]) expect(String(body)).not.toMatch(/url\(|@import|https?:\/\/(?!www\.w3\.org)/);
});

test('the version changes with the branding, and the logo is served under a name of ours', () => {
  const logo = join(mkdtempSync(join(tmpdir(), 'logo-')), 'Our Logo.SVG');
  writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg"/>');
  const branded = loadAssets({ accent: '#8844cc', logo });
  expect(branded.logo).toBe('logo.svg');
  expect(branded.files.get('logo.svg')?.type).toBe('image/svg+xml');
  expect(branded.files.has('theme.css')).toBe(true);
  expect(branded.version).not.toBe(loadAssets().version);
  expect(() => loadAssets({ logo: '/etc/hostname' })).toThrow();
});

describe.each(['light', 'dark'] as const)('colours in the %s theme', (name) => {
  const theme = themes[name];
  const colour = (token: string): string => theme[`--${token}`] ?? '';

  test('text reaches 7:1, what is coloured 4.5:1, edges of fields 3:1 (WCAG 2.2 1.4.3, 1.4.6, 1.4.11)', () => {
    expect([colour('surface'), colour('ground')]).toEqual(GROUNDS[name]);
    for (const ground of GROUNDS[name]) {
      expect(contrast(colour('ink'), ground)).toBeGreaterThan(7);
      expect(contrast(colour('ink-2'), ground)).toBeGreaterThan(6);
      expect(contrast(colour('accent'), ground)).toBeGreaterThan(4.5);
      expect(contrast(colour('edge'), ground)).toBeGreaterThan(3);
    }
    for (const kind of ['danger', 'warn', 'good']) {
      expect(contrast(colour(kind), colour(`${kind}-soft`))).toBeGreaterThan(7);
    }
    expect(contrast(colour('on-accent'), colour('accent'))).toBeGreaterThan(4.5);
  });

  test.each(['#ff8800', '#ffff00', '#000000', '#ffffff', '#0055ff', '#7f7f7f'])(
    'an accent of %s stays readable',
    (accent) => {
      const [lightBlock = '', darkBlock = ''] = themeCss({ accent }).split('@media');
      const own = tokens(name === 'light' ? lightBlock : darkBlock);
      for (const ground of [...GROUNDS[name], own['--accent-soft'] ?? '']) {
        expect(contrast(own['--accent'] ?? '', ground)).toBeGreaterThan(4.5);
      }
      expect(contrast(own['--on-accent'] ?? '', own['--accent'] ?? '')).toBeGreaterThan(4.5);
      expect(contrast(own['--on-accent'] ?? '', own['--accent-strong'] ?? '')).toBeGreaterThan(4.5);
    },
  );
});

test('an accent is #rrggbb or refused', () => {
  expect(themeCss({})).toBe('');
  expect(() => themeCss({ accent: 'red;}body{display:none' })).toThrow();
});
