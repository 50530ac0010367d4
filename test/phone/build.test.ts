import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from '@jest/globals';
import { dress } from '../../plugins/app/phone/dress.js';
import { drawIcon, recolour } from '../../plugins/app/phone/icons.js';
import { projectRoot } from '../../src/platform/paths.js';

const folder = join(projectRoot, 'dist/app');
/** What the app weighs on its way to a phone; the reader of QR codes comes when somebody scans. */
const BUDGET_BYTES = 60_000;
const read = (name: string): Buffer => readFileSync(join(folder, name));

beforeAll(() => {
  if (!existsSync(folder)) execFileSync('npm', ['run', '--silent', 'build'], { cwd: projectRoot });
});

test('everything but the reader of codes is under 60 kB compressed, and the reader is not in it', () => {
  const names = readdirSync(folder);
  const reader = names.filter((name) => name.startsWith('scanner-'));
  expect(reader).toHaveLength(1);
  const rest = names.filter((name) => !reader.includes(name));
  expect(rest.reduce((sum, name) => sum + gzipSync(read(name)).length, 0)).toBeLessThan(BUDGET_BYTES);
  expect(gzipSync(read('app.js')).length).toBeLessThan(20_000);
});

test('nothing inline, nothing from elsewhere, no source maps', () => {
  const page = String(read('index.html'));
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|https?:/);
  for (const name of readdirSync(folder).filter((name) => /\.(js|css)$/.test(name))) {
    expect(String(read(name))).not.toMatch(/sourceMappingURL|\beval\(|new Function/);
    expect(String(read(name)).match(/https?:\/\/[\w.]+/g) ?? []).toEqual(
      name === 'app.js' ? ['http://www.w3.org'] : [],
    );
  }
});

test('the worker keeps every file that the app needs without a network', () => {
  const worker = String(read('service-worker.js'));
  for (const name of readdirSync(folder).filter((name) => !/^(icon-|index|service-worker)/.test(name)))
    expect(worker).toContain(`"${name}"`);
});

test('the manifest names icons that exist, one of them maskable, in the size it says', () => {
  const { icons, scope, start_url } = JSON.parse(String(read('app.webmanifest')));
  expect({ scope, start_url }).toEqual({ scope: './', start_url: './' });
  expect(icons.filter(({ purpose }: { purpose?: string }) => purpose === 'maskable')).toHaveLength(1);
  for (const { src, sizes, type } of icons) {
    const file = read(src);
    if (type !== 'image/png') continue;
    expect(`${file.readUInt32BE(16)}x${file.readUInt32BE(20)}`).toBe(sizes);
  }
});

test('an icon is a PNG of one size, opaque to its corners', () => {
  const icon = drawIcon(32, 0.6);
  expect(icon.subarray(1, 4).toString()).toBe('PNG');
  expect([icon.readUInt32BE(16), icon[24], icon[25]]).toEqual([32, 4, 3]);
  const other = recolour(icon, '#aa2200');
  expect(other.length).toBe(icon.length);
  expect(other.equals(icon)).toBe(false);
  expect(recolour(other, '#0f5c6e').equals(icon)).toBe(true);
});

test('a server has its own name, colours, logo and icon, and its phones hear of a change', () => {
  const built = new Map(readdirSync(folder).map((name) => [name, read(name)]));
  const brand = { name: 'Müller & <Söhne>', accent: '#aa2200', css: ':root{--accent:#aa2200}' };
  const dressed = dress(built, brand);
  const page = String(dressed.get('index.html'));
  expect(page).toContain('<title>Müller &#38; &#60;Söhne&#62;</title>');
  expect(page).toContain('name="application-name" content="Müller &#38; &#60;Söhne&#62;"');
  expect(page).not.toMatch(/\{\{|Countersign/);
  expect(JSON.parse(String(dressed.get('app.webmanifest')))).toMatchObject({
    name: brand.name,
    short_name: brand.name,
    theme_color: '#aa2200',
  });
  expect(String(dressed.get('app.css')).endsWith(brand.css)).toBe(true);
  expect(dressed.get('icon-512.png')).toEqual(recolour(read('icon-512.png'), '#aa2200'));
  const worker = (change: object = {}): string =>
    String(dress(built, { ...brand, ...change }).get('service-worker.js'));
  const logo = { name: 'logo.svg', body: Buffer.from('<svg/>') };
  const workers = [{}, { name: 'Acme' }, { accent: '#aa2201' }, { css: '' }, { logo }].map(worker);
  workers.push(worker({ logo: { ...logo, body: Buffer.from('<svg />') } }));
  expect(new Set(workers).size).toBe(workers.length);
  expect(worker({ logo })).toContain('"files":["logo.svg"]');
  expect(dress(built, { ...brand, logo }).get('logo.svg')).toBe(logo.body);
});
