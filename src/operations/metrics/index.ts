/** Prometheus metrics: numbers alone, and no label that says who, from where, or with what. */
export { watchCommands } from './command-watch.js';
export { createMetrics, type Metrics } from './metrics.js';
export { openMetricsListener } from './metrics-listener.js';
export { createReadings, type Readings, type ReadingsDeps } from './readings.js';
