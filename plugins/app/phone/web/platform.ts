/** What kind of phone this is, as far as browsers say. */

interface AgentData {
  getHighEntropyValues?(hints: string[]): Promise<{ model?: string }>;
}

const agent = navigator.userAgent;
/** An iPad says that it is a Mac, but has a screen to touch. */
export const isApple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1);
const isAndroid = /Android/.test(agent);

export const isInstalled = (): boolean =>
  (navigator as { standalone?: boolean }).standalone === true || matchMedia('(display-mode: standalone)').matches;

/** On iOS an installed app has a storage of its own: what a tab keeps is lost to it, and to everybody after seven days. */
export const mustInstallFirst = (): boolean => isApple && !isInstalled();

export const canKeepKeys = (): boolean => isSecureContext && 'subtle' in crypto && 'indexedDB' in globalThis;

/** Where no phone is told apart, by what its browser calls itself; what others pretend to be as well comes last. */
const BROWSERS = { 'Edg/': 'Edge', 'Firefox/': 'Firefox', 'Chrome/': 'Chrome', 'Safari/': 'Safari' };
const SYSTEMS = { Windows: 'Windows', CrOS: 'ChromeOS', Macintosh: 'macOS', Linux: 'Linux' };
const named = (names: Record<string, string>): string | undefined =>
  Object.entries(names).find(([token]) => agent.includes(token))?.[1];

/** "Chrome (Linux)" */
function describeBrowser(): string {
  const system = named(SYSTEMS);
  return `${named(BROWSERS) ?? 'Browser'}${system ? ` (${system})` : ''}`;
}

export async function describePhone(): Promise<{ model: string; platform: 'android' | 'ios' | 'web' }> {
  if (isApple) return { model: /iPad|Macintosh/.test(agent) ? 'iPad' : 'iPhone', platform: 'ios' };
  if (!isAndroid) return { model: describeBrowser(), platform: 'web' };
  const data = (navigator as { userAgentData?: AgentData }).userAgentData;
  const told = await data?.getHighEntropyValues?.(['model']).catch(() => undefined);
  return { model: told?.model || /Android [\d.]+; ([^;)]+)/.exec(agent)?.[1] || 'Android', platform: 'android' };
}
