// The other side of the tests in this folder: ML-DSA by noble-post-quantum,
// and just enough DER to take certificates and lists apart and to write them.
//
//   node interop.mjs verify ISSUER.der OBJECT.der…   exit 1 when one does not verify
//   node interop.mjs make SET DIR                    a root, an issuing authority and the
//                                                    root's CRL, with keys in every form
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';

const sets = { 17: ml_dsa44, 18: ml_dsa65, 19: ml_dsa87 };
const arcs = { 44: 17, 65: 18, 87: 19 };
const family = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03]; // 2.16.840.1.101.3.4.3

// Reading.

function next(der, at = 0) {
  let length = der[at + 1], head = 2;
  if (length > 0x80) {
    const octets = length - 0x80;
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + der[at + 2 + i];
    head += octets;
  }
  const end = at + head + length;
  if (end > der.length) throw new Error('cut short');
  return { tag: der[at], whole: der.subarray(at, end), inside: der.subarray(at + head, end), end };
}

function children(der) {
  const all = [];
  for (let at = 0; at < der.length; ) {
    const element = next(der, at);
    all.push(element);
    at = element.end;
  }
  return all;
}

// A set of FIPS 204 by its AlgorithmIdentifier: one OID, and nothing else.
function setOf(algorithm) {
  const parts = children(algorithm.inside);
  const oid = parts[0].inside;
  if (parts.length !== 1 || oid.length !== 9 || !family.every((b, i) => oid[i] === b)) throw new Error('not ML-DSA as RFC 9881 writes it');
  return sets[oid[8]];
}

function signed(der) {
  const [message, algorithm, signature] = children(next(der).inside);
  if (signature.inside[0] !== 0) throw new Error('a signature of odd bits');
  return { message, algorithm, signature: signature.inside.subarray(1) };
}

function keyOf(certificate) {
  const fields = children(signed(certificate).message.inside);
  const [algorithm, bits] = children(fields[6].inside);
  return { set: setOf(algorithm), key: bits.inside.subarray(1) };
}

function verify(issuer, object) {
  const { set, key } = keyOf(issuer);
  const { message, algorithm, signature } = signed(object);
  if (setOf(algorithm) !== set) return false;
  return set.verify(signature, message.whole, key);
}

// Writing.

function tlv(tag, ...parts) {
  const inside = Buffer.concat(parts.map((p) => Buffer.from(p)));
  const n = inside.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), inside]);
}
const seq = (...parts) => tlv(0x30, ...parts);
const oid = (...octets) => tlv(0x06, octets);
const bits = (b) => tlv(0x03, [0], b);
const text = (s) => tlv(0x0c, Buffer.from(s));
const name = (cn) => seq(tlv(0x31, seq(oid(0x55, 4, 3), text(cn))));
const time = (s) => tlv(0x17, Buffer.from(s));
const extension = (last, critical, value) => seq(oid(0x55, 0x1d, last), ...(critical ? [tlv(1, [0xff])] : []), tlv(4, value));

function authority(arc, cn, fill) {
  const seed = new Uint8Array(32).fill(fill);
  const { publicKey, secretKey } = sets[arc].keygen(seed);
  const algorithm = seq(oid(...family, arc));
  const id = Buffer.alloc(20, fill);
  const sign = (message) => seq(message, algorithm, bits(sets[arc].sign(message, secretKey)));
  return { cn, seed, secretKey, algorithm, id, sign, spki: seq(algorithm, bits(publicKey)) };
}

function certificate(subject, issuer, pathLength, serial) {
  return issuer.sign(seq(
    tlv(0xa0, tlv(2, [2])), tlv(2, Buffer.alloc(16, serial)), issuer.algorithm, name(issuer.cn),
    seq(time('260101000000Z'), time('351231235959Z')), name(subject.cn), subject.spki,
    tlv(0xa3, seq(
      extension(15, true, tlv(3, [1, 6])),
      extension(19, true, seq(tlv(1, [0xff]), tlv(2, [pathLength]))),
      extension(14, false, tlv(4, subject.id)),
      extension(35, false, seq(tlv(0x80, issuer.id))),
    )),
  ));
}

function list(issuer) {
  return issuer.sign(seq(
    tlv(2, [1]), issuer.algorithm, name(issuer.cn), time('260101000000Z'), time('261231235959Z'),
    seq(seq(tlv(2, Buffer.alloc(16, 0x55)), time('260101000000Z'), seq(extension(21, false, tlv(10, [5]))))),
    tlv(0xa0, seq(extension(35, false, seq(tlv(0x80, issuer.id))), extension(20, false, tlv(2, [7])))),
  ));
}

function pem(label, der) {
  const lines = der.toString('base64').match(/.{1,64}/g).join('\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function make(arc, dir) {
  const root = authority(arc, 'Noble Root', 0x41), issuing = authority(arc, 'Noble Issuing', 0x42);
  const put = (file, data) => writeFileSync(join(dir, file), data);
  put('root.cer', certificate(root, root, 1, 0x51));
  put('issuing.cer', certificate(issuing, root, 0, 0x52));
  put('root.crl', list(root));
  const forms = {
    seed: tlv(0x80, root.seed),
    expanded: tlv(4, root.secretKey),
    both: seq(tlv(4, root.seed), tlv(4, root.secretKey)),
    torn: seq(tlv(4, root.seed), tlv(4, issuing.secretKey)),
  };
  for (const [form, key] of Object.entries(forms)) {
    put(`root.${form}.key`, pem('PRIVATE KEY', seq(tlv(2, [0]), root.algorithm, tlv(4, key))));
  }
  const asked = seq(tlv(2, [0]), name(issuing.cn), issuing.spki, tlv(0xa0));
  put('issuing.csr', pem('CERTIFICATE REQUEST', issuing.sign(asked)));
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'verify') {
  const [issuer, ...objects] = args.map((file) => readFileSync(file));
  const wrong = args.slice(1).filter((_, i) => !verify(issuer, objects[i]));
  for (const file of wrong) console.error(`${file} does not verify`);
  process.exit(wrong.length ? 1 : 0);
} else if (verb === 'make') {
  make(arcs[args[0]], args[1]);
} else {
  console.error('usage: interop.mjs verify|make');
  process.exit(64);
}
