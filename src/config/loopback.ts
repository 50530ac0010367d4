/** Whether a URL stays on this machine: `localhost` and names below it (RFC 6761 section 6.3), 127.0.0.0/8 and ::1. */
export const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' ||
  hostname.endsWith('.localhost') ||
  hostname === '[::1]' ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname);
