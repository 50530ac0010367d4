import { readAddress, type Scanned } from '../addresses.js';
import { type App, heading, type Screen, type View } from '../app.js';
import { button, element, note } from '../elements.js';
import type { SentenceKey } from '../sentences/en.js';

export interface ScanOptions<What extends 'pair' | 'confirm'> {
  what: What;
  /** Said of a code of ours that asks for something else. */
  otherwise: SentenceKey;
  found(scanned: Extract<Scanned, { what: What }>): void;
  typeInstead(): void;
}

/** The camera's view, until it sees a code that is asked for. */
export const scanView =
  <What extends 'pair' | 'confirm'>({ what, otherwise, found, typeInstead }: ScanOptions<What>): View =>
  (app: App): Screen => {
    const { words, phone } = app;
    const video = element('video', {
      class: 'camera',
      playsinline: true,
      muted: true,
      'aria-label': words.say('scan.video'),
    });
    const problem = element('div', { role: 'alert' });
    let stream: MediaStream | undefined;
    let stopReading: (() => void) | undefined;
    let isLeft = false;
    let said = '';

    const say = (text: string): void => {
      if (text === said) return;
      said = text;
      problem.replaceChildren(note('warn', 'warning', text));
    };

    const read = (text: string): void => {
      if (isLeft) return;
      const scanned = readAddress(text, phone.issuer);
      if (scanned?.what === what) found(scanned as Extract<Scanned, { what: What }>);
      else if (scanned?.what === 'elsewhere') say(words.say('scan.elsewhere', { host: scanned.host }));
      else say(words.say(scanned ? otherwise : 'scan.other'));
    };

    const stop = (): void => {
      isLeft = true;
      stopReading?.();
      for (const track of stream?.getTracks() ?? []) track.stop();
    };

    const start = async (): Promise<void> => {
      const decoder = import('../scanner.js').catch(() => undefined);
      try {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: 'environment', width: { ideal: 1280 } },
          audio: false,
        });
        // Somebody may have left while the browser asked for permission.
        if (isLeft) return stop();
        video.srcObject = stream;
        await video.play();
      } catch {
        if (isLeft) return;
        video.hidden = true;
        return say(words.say('scan.no_camera'));
      }
      const loaded = await decoder;
      if (!loaded) return say(words.say('scan.no_decoder'));
      if (!isLeft) stopReading = loaded.readCodes(video, read);
    };
    start();

    return {
      nodes: [
        heading(words.say('scan.heading')),
        element('p', { class: 'lead' }, words.say('scan.lead')),
        problem,
        video,
        element(
          'div',
          { class: 'ways' },
          button('text', words.say('scan.type'), typeInstead),
          button('text', words.say('button.cancel'), () => app.home()),
        ),
      ],
      leave: stop,
    };
  };
