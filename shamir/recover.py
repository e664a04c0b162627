#!/usr/bin/env python3
# Gives a secret back from the words of its shares. It knows nothing of the
# program that made them and needs Python 3 only:
#
#   python3 recover.py english.txt SHARE.txt SHARE.txt ... > secret
#
# english.txt is the English word list of BIP-39: 2048 words, one to a line,
# SHA-256 2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda.
# A SHARE.txt has the lines of one share, eight words each, of which the first
# four letters count. The two parity words of a line are not looked at: a wrong
# word is found by the checksum and not corrected. What groups of people give
# are shares of one more set: recover each into a file, and then from the files.
import base64, hashlib, hmac, sys, zlib

def mul(a, b):                       # GF(2^8), x^8 + x^4 + x^3 + x + 1
    p = 0
    while b:
        if b & 1: p ^= a
        a <<= 1
        if a & 0x100: a ^= 0x11b
        b >>= 1
    return p

def div(a, b):
    return mul(a, next(i for i in range(1, 256) if mul(b, i) == 1))

def read(name, words):
    bits = ""
    for line in open(name, encoding="utf-8"):
        if line.startswith("PKISHARE1:"):     # a group's share
            code = line[10:].strip()
            code = base64.b32decode(code + "=" * (-len(code) % 8))
            bits = "".join(format(b, "08b") for b in code)
            continue
        tokens = [t for t in line.lower().split() if not t.strip(".:").isdigit()]
        if not tokens or tokens[0].startswith("#"): continue
        for t in tokens[:6]:         # six words of data, two of parity
            bits += format(words.index(t[:4]), "011b")
    raw = bytes(int(bits[i:i+8], 2) for i in range(0, len(bits) - 7, 8))
    holder = 22 + raw[21]            # version k n index class, set id, purpose
    value = holder + 1 + raw[holder]
    size = value + 17 + {1: 32, 2: 64, 3: 128}[raw[4]]
    if raw[0] != 1 or zlib.crc32(raw[:size]) != int.from_bytes(raw[size:size+4], "big"):
        sys.exit(name + ": the checksum does not hold; a word is wrong")
    return raw[1], raw[3], raw[value:size], raw

words = [w[:4] for w in open(sys.argv[1], encoding="utf-8").read().split()]
shares = [read(name, words) for name in sys.argv[2:]]
k, head = shares[0][0], shares[0][3]
shares = list({s[1]: s for s in shares}.values())[:k]
if len(shares) < k or any(s[3][5:21] != head[5:21] for s in shares):
    sys.exit("%d different shares of one set are needed" % k)
payload = bytearray(len(shares[0][2]))
for _, x, value, _ in shares:        # Lagrange's interpolation at 0
    basis = 1
    for _, other, _, _ in shares:
        if other != x: basis = mul(basis, div(other, other ^ x))
    for i, y in enumerate(value): payload[i] ^= mul(basis, y)
about = b"pki-share/1 set\0" + bytes(head[:3]) + head[4:5] + head[21:22+head[21]]
digest = hmac.new(payload[:16], about + payload[16:], hashlib.sha256).digest()
if digest[:16] != head[5:21]:
    sys.exit("the shares do not give the secret of their set")
secret = bytes(payload[17:17+payload[16]])
if secret[0] == 1 and zlib.crc32(secret[:-4]) == int.from_bytes(secret[-4:], "big"):
    secret = b"PKISHARE1:" + base64.b32encode(secret).rstrip(b"=") + b"\n"
sys.stdout.buffer.write(secret)
