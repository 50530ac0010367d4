/**
 * The one entry of the browser's history above home's, so that Back leads home: there while another screen is shown. Going back
 * takes its time, and what is asked for meanwhile is done at its end: asked for twice, the browser would leave the app.
 */
export class EntryAbove {
  #isWanted = false;
  #isReturning = false;

  /** @param folder the address of both entries */
  constructor(
    private readonly history: Pick<History, 'state' | 'pushState' | 'replaceState' | 'back'>,
    private readonly folder: string,
  ) {
    history.replaceState(null, '', folder);
  }

  /** @param isWanted whether another screen than home is shown now */
  follow(isWanted: boolean): void {
    this.#isWanted = isWanted;
    const isThere = this.history.state?.isDeep === true;
    if (this.#isReturning || isWanted === isThere) return;
    if (isWanted) this.history.pushState({ isDeep: true }, '', this.folder);
    else {
      this.#isReturning = true;
      this.history.back();
    }
  }

  /** The browser went to another entry. False: the person did it, who wants to see home. */
  settle(): boolean {
    const wasAsked = this.#isReturning;
    this.#isReturning = false;
    this.follow(wasAsked && this.#isWanted);
    return wasAsked;
  }
}
