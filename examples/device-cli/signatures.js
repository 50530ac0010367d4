// @ts-check
import { randomBytes } from 'node:crypto';
import { CompactSign } from 'jose';
import { sha256 } from './digest.js';

/** @typedef {import('jose').CryptoKey} CryptoKey */

/**
 * @param {CryptoKey} key
 * @param {{ typ: string, kid: string }} header
 * @param {object} claims
 */
const sign = (key, header, claims) =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', ...header })
    .sign(key);

/**
 * The header `Device-Signature` of one request: a new one for each, also when it is repeated.
 *
 * @param {CryptoKey} key
 * @param {string} kid the device id; the thumbprint while there is none
 * @param {{ issuer: string, url: string, body: string, nonce?: string }} request
 * @returns {Promise<string>} a compact JWS
 */
export const signRequest = (key, kid, { issuer, url, body, nonce }) =>
  sign(
    key,
    { typ: 'countersign-request+jwt', kid },
    {
      aud: issuer,
      htm: 'POST',
      htu: url,
      bh: sha256(body),
      ...(nonce === undefined ? {} : { nonce }),
      jti: randomBytes(16).toString('base64url'),
    },
  );

/**
 * What the person decided, and about which text.
 *
 * @param {CryptoKey} key
 * @param {string} kid the device id
 * @param {{ issuer: string, challenge: string, decision: string, details: string, number?: string }} answer
 * @returns {Promise<string>} a compact JWS
 */
export const signAnswer = (key, kid, { issuer, challenge, decision, details, number }) =>
  sign(
    key,
    { typ: 'countersign-approval+jwt', kid },
    { aud: issuer, challenge, decision, ...(number === undefined ? {} : { number }), shown: sha256(details) },
  );
