// The certificate authorities that a program trusts.
'use strict';

const { X509Certificate } = require('node:crypto');
const tls = require('node:tls');

const CERTIFICATES = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.*?-----END \1-----/gs;
const WANTED = 'ca must be a certificate as PEM, or several';

/**
 * For TLS: the authorities that were given, beside the usual ones. TLS itself says nothing of a text
 * that holds none, and trusts nobody by it.
 */
function trusting(given) {
  if (given === undefined || given === null) {
    return {};
  }
  const texts = [given].flat().map(textOf);
  if (texts.length === 0) {
    throw new TypeError(WANTED);
  }
  for (const text of texts) {
    const found = text.match(CERTIFICATES);
    if (found === null) {
      const hint = text.includes('-----') ? '' : ': the text of the file, not its path';
      throw new TypeError(`${WANTED}${hint}`);
    }
    for (const certificate of found) {
      try {
        new X509Certificate(certificate);
      } catch (cause) {
        throw new TypeError('ca holds a certificate that cannot be read', { cause });
      }
    }
  }
  return { ca: [...tls.rootCertificates, ...texts] };
}

function textOf(one) {
  if (typeof one === 'string') {
    return one;
  }
  if (!ArrayBuffer.isView(one)) {
    throw new TypeError(WANTED);
  }
  return Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('latin1');
}

exports.trusting = trusting;
