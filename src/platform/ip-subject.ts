import { isIPv6 } from 'node:net';

/** What attempts of one address are counted under: an IPv4 address, or the /64 that one IPv6 customer gets. */
export function ipSubject(ip: string): string {
  const groups = groupsOf(ip);
  return typeof groups === 'string' ? `ip:${groups}` : `ip:${groups.slice(0, 4).join(':')}::/64`;
}

/** The network around it: /24 of IPv4, /48 of IPv6. */
export function networkSubject(ip: string): string {
  const groups = groupsOf(ip);
  if (typeof groups !== 'string') return `net:${groups.slice(0, 3).join(':')}::/48`;
  return `net:${groups.split('.').slice(0, 3).join('.')}.0/24`;
}

/** The eight groups of an IPv6 address; an IPv4 address as it is, mapped or not. */
function groupsOf(ip: string): string | string[] {
  const address = ip.split('%', 1)[0] ?? '';
  if (!isIPv6(address)) return address;
  // The URL parser writes every spelling of an address the same way.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const groups =
    tail === undefined ? first : [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last];
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
  if (!isMapped) return groups;
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
