import { type Listener, openListener } from '../../platform/listener.js';
import type { Logger } from '../../platform/logger.js';
import type { Metrics } from './metrics.js';

/** `GET /metrics` on an address of its own, which people from outside do not reach. */
export function openMetricsListener(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  address: { host: string; port: number },
  logger: Logger,
): Promise<Listener> {
  return openListener((request, response) => {
    request.resume();
    if (request.url?.split('?', 1)[0] !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text),
      (err: unknown) => {
        logger.error({ err }, 'metrics not told');
        response.writeHead(500).end();
      },
    );
  }, address);
}
