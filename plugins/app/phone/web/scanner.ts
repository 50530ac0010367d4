/** Reads QR codes from the camera; loaded when somebody scans. */
import { decodeQR } from 'qr/decode.js';

/** Longer side of what is decoded, in pixels: enough for a code held at arm's length, quick on an old phone. */
const LONGEST_SIDE = 720;
const PAUSE_MS = 120;

/** Looks at a running video until it is told to stop. @param found gets what each readable code says */
export function readCodes(video: HTMLVideoElement, found: (text: string) => void): () => void {
  const canvas = document.createElement('canvas');
  const picture = canvas.getContext('2d', { willReadFrequently: true });
  let isOver = false;
  const look = (): void => {
    if (isOver) return;
    const { videoWidth, videoHeight } = video;
    if (picture && videoWidth > 0) {
      const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
      canvas.width = Math.round(videoWidth * scale);
      canvas.height = Math.round(videoHeight * scale);
      picture.drawImage(video, 0, 0, canvas.width, canvas.height);
      try {
        found(decodeQR(picture.getImageData(0, 0, canvas.width, canvas.height)));
      } catch {
        // No code in this picture: the next one may have it.
      }
    }
    setTimeout(look, PAUSE_MS);
  };
  look();
  return () => {
    isOver = true;
  };
}
