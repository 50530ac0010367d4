import { ERROR, type Finding, OK } from '../../platform/finding.js';

const WITHIN_MS = 5_000;

/** Asks for the discovery document as an application does: by the issuer's name, through whatever stands in front. */
export async function checkIssuer(issuer: string): Promise<Finding> {
  const address = `${issuer}/.well-known/openid-configuration`;
  let answer: Response;
  try {
    answer = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(WITHIN_MS) });
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    const why = cause?.code ?? (error instanceof Error ? error.name : 'unknown');
    return ERROR(`issuer: ${address} cannot be reached from here (${why}): is a node running, and the name right?`);
  }
  if (answer.status === 421)
    return ERROR(
      'issuer: the proxy changes the host or hides the scheme: it must pass Host on and set X-Forwarded-Proto, and trustedProxyHops must count it',
    );
  if (answer.status !== 200) return ERROR(`issuer: ${address} answers ${answer.status}, not 200`);
  const document = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const { token_endpoint: endpoint } = document;
  if (document.issuer !== issuer) return ERROR(`issuer: ${address} belongs to another server`);
  if (!String(endpoint).startsWith(`${issuer}/`))
    return ERROR(
      `issuer: endpoints are told as ${new URL(String(endpoint)).origin}: the proxy hides the scheme or host`,
    );
  return OK(`issuer: reached as ${issuer}, and its addresses are right`);
}
