import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core';
import { projectRoot } from '../../src/platform/paths.js';

const axe = readFileSync(`${projectRoot}/node_modules/axe-core/axe.min.js`, 'utf8');
/** Pages that axe-core has been over in this file already, by what makes them different. */
const examined = new Set<string>();

export const NARROW = { width: 320, height: 640 };

export const launch = async (): Promise<Browser> =>
  playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'] });

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Somebody in front of a browser of their own. Whatever each page owes everybody is looked at on every page seen. */
export class Person {
  /** Complaints of the browser: script errors, violations of the content security policy, calls to strangers. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly options: BrowserContextOptions,
    private readonly origins: readonly string[],
  ) {
    page.on('console', (message) => {
      // A page that answers 4xx is reported as an error of the network; its content is what counts.
      if (message.type() === 'error' && !/^Failed to load resource: .* (4\d\d|503) /.test(message.text()))
        this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol.startsWith('http') && !this.origins.includes(origin)) this.complaints.push(`asked ${origin}`);
    });
  }

  /** @param origins the only ones that this browser may ask */
  static async arrive(
    browser: Browser,
    origins: readonly string[],
    options: BrowserContextOptions = {},
  ): Promise<Person> {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(10_000);
    return new Person(await context.newPage(), options, origins);
  }

  get hasScript(): boolean {
    return this.options.javaScriptEnabled !== false;
  }

  /** Waits for the page with this heading, and holds it against what is true of every page. */
  async sees(heading: string | RegExp): Promise<void> {
    const { page } = this;
    await page
      .locator('h1', { hasText: heading })
      .waitFor()
      .catch(async (cause: unknown) => {
        const instead = await this.text('body');
        throw new Error(`not "${heading}" but, at ${new URL(page.url()).pathname}: ${instead}`, { cause });
      });
    await page.waitForLoadState('load');
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.title()).toMatch(/ · Countersign$/);
    expect(await page.locator('html').getAttribute('lang')).toMatch(/^(en|de|fr|es|it)$/);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(this.complaints).toEqual([]);
    if (this.hasScript) await this.#examine();
  }

  async #examine(): Promise<void> {
    const { page } = this;
    const title = await page.title();
    const { colorScheme = 'light', viewport } = this.options;
    const key = [title, await page.locator('form, .note').count(), colorScheme, viewport?.width].join('|');
    if (examined.has(key)) return;
    examined.add(key);
    await page.evaluate(axe);
    const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'], preload: false })")) as {
      violations: Violation[];
    };
    expect(
      violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${title}: ${id}: ${html} ${failureSummary}`),
      ),
    ).toEqual([]);
  }

  /** Back at the application: the address it was called with. */
  async isBack(): Promise<string> {
    await this.page.locator('h1', { hasText: 'Back at Time Sheets' }).waitFor();
    expect(this.complaints).toEqual([]);
    return this.page.url();
  }

  async fill(label: string, value: string): Promise<void> {
    await this.page.getByLabel(label, { exact: true }).fill(value);
  }

  async press(name: string | RegExp): Promise<void> {
    const exact = typeof name === 'string';
    await this.page
      .getByRole('button', { name, exact })
      .or(this.page.getByRole('link', { name, exact }))
      .first()
      .click();
  }

  async signIn(login: string, password: string): Promise<void> {
    await this.fill('Login', login);
    await this.fill('Password', password);
    await this.press('Continue');
  }

  async enter(label: string, code: string): Promise<void> {
    await this.fill(label, code);
    await this.press('Continue');
  }

  /** In the app on the phone. */
  async enterNumber(number: string): Promise<void> {
    await this.fill('Number on the sign-in page', number);
    await this.press('Approve');
  }

  /** Until something is true in the page; asked from outside, for the page's policy lets nobody evaluate inside. */
  async until(expression: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      if (await this.page.evaluate(expression)) return;
      await this.page.waitForTimeout(100);
    }
    throw new Error(`never: ${expression}`);
  }

  /** Tabs to the control with this name, past everything that comes before it, each stop visibly in focus. */
  async tabTo(name: string): Promise<void> {
    for (let stops = 0; stops < 40; stops += 1) {
      const focus = (await this.page.evaluate(`(() => {
        const element = document.activeElement;
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return {
          name: (element.labels?.[0]?.innerText ?? element.ariaLabel ?? element.innerText ?? '').trim(),
          isBody: element === document.body,
          isControl: element.matches('a, button, input, summary'),
          isVisible: (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none',
        };
      })()`)) as { name: string; isBody: boolean; isControl: boolean; isVisible: boolean };
      if (!focus.isBody) expect(focus).toMatchObject({ isVisible: true });
      if (focus.isControl && focus.name === name) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`no way to ${name} with Tab`);
  }

  /** The words of the first element that matches. */
  async text(selector: string): Promise<string> {
    return (await this.page.locator(selector).first().textContent()) ?? '';
  }

  /** The id of what has the focus. */
  async focus(): Promise<unknown> {
    return this.page.evaluate('document.activeElement.id');
  }

  async leave(): Promise<void> {
    expect(this.complaints).toEqual([]);
    await this.page.context().close();
  }
}
