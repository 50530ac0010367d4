import { beforeEach, expect, test } from '@jest/globals';
import { EntryAbove } from '../../plugins/app/phone/web/entry-above.js';

/** A tab's history as browsers keep it: going back is done later. */
class Tab {
  /** What was there before the app, and the app. */
  readonly entries: unknown[] = ['elsewhere', null];
  at = 1;
  returning = 0;

  get state(): unknown {
    return this.entries[this.at];
  }

  pushState(state: unknown): void {
    this.at += 1;
    this.entries.splice(this.at, Infinity, state);
  }

  replaceState(state: unknown): void {
    this.entries[this.at] = state;
  }

  back(): void {
    this.returning += 1;
  }

  /** Whatever was asked for, as one. */
  arrive(): void {
    this.at -= this.returning;
    this.returning = 0;
  }
}

let tab: Tab;
let above: EntryAbove;
beforeEach(() => {
  tab = new Tab();
  above = new EntryAbove(tab, '/app/');
});

test('home twice goes back once, and never beyond the app', () => {
  above.follow(true);
  above.follow(false);
  above.follow(false);
  expect(tab.returning).toBe(1);
  tab.arrive();
  expect(above.settle()).toBe(true);
  above.follow(false);
  expect(tab).toMatchObject({ at: 1, returning: 0 });
});

test('of several screens one entry is kept', () => {
  above.follow(true);
  above.follow(true);
  expect(tab.entries).toEqual(['elsewhere', null, { isDeep: true }]);
});

test('a screen that opens while the browser goes back has its entry afterwards', () => {
  above.follow(true);
  above.follow(false);
  above.follow(true);
  expect(tab).toMatchObject({ at: 2, returning: 1 });
  tab.arrive();
  expect(above.settle()).toBe(true);
  expect(tab).toMatchObject({ at: 2, state: { isDeep: true }, returning: 0 });
  above.follow(false);
  tab.arrive();
  expect(above.settle()).toBe(true);
  expect(tab).toMatchObject({ at: 1, returning: 0 });
});

test('Back is the person’s, and so is Forward: home is shown, on its own entry', () => {
  above.follow(true);
  tab.at = 1;
  expect(above.settle()).toBe(false);
  expect(tab.returning).toBe(0);
  tab.at = 2;
  expect(above.settle()).toBe(false);
  expect(tab.returning).toBe(1);
  tab.arrive();
  expect(above.settle()).toBe(true);
  expect(tab).toMatchObject({ at: 1, returning: 0 });
});
