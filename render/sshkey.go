package render

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"pki.internal/plan"
	"pki.internal/plan/tbs/public"
	"pki.internal/spec"
)

// sshKey is an SSH authority's public key, in the forms that others read.
type sshKey struct {
	authority *spec.SSHAuthority
	line      string // as in authorized_keys, with the authority as comment
	jwk       json.RawMessage
}

// sshKeyOf takes a key from the ledger, or from the block when it lives
// elsewhere.
func sshKeyOf(s plan.State, a *spec.SSHAuthority) (sshKey, error) {
	key := sshKey{authority: a}
	var found any
	if a.Key != nil {
		made, _ := s.SSHKey(a.Address) // Waiting has found it
		parsed, err := public.Parse(made.SPKI)
		if err != nil {
			return key, fmt.Errorf("%s: %w", a.Address, err)
		}
		found = parsed
	} else {
		algorithm, blob, problem := spec.ParseSSHPublicKey(a.PublicKey)
		if problem != "" {
			return key, refuseAt(a.Origin, "public_key", "its public_key %s; write the line of the .pub file", problem)
		}
		parsed, err := readSSHKey(algorithm, blob)
		if err != nil {
			return key, refuseAt(a.Origin, "public_key", "its public_key %v; write the line of the .pub file", err)
		}
		found = parsed
	}
	algorithm, blob, err := writeSSHKey(found)
	if err != nil {
		return key, fmt.Errorf("%s: %w", a.Address, err)
	}
	key.line = algorithm + " " + base64.StdEncoding.EncodeToString(blob) + " " + a.Address.FileName()
	key.jwk, err = publicJWK(found)
	return key, err
}

// counted is a string of RFC 4251 §5: its length, then its bytes.
func counted(parts ...[]byte) []byte {
	var b []byte
	for _, part := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// positive is a positive mpint of RFC 4251 §5.
func positive(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) > 0 && b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return b
}

// writeSSHKey gives a public key as RFC 4253 §6.6, RFC 5656 §3.1 and RFC 8709
// §4 write it.
func writeSSHKey(key any) (algorithm string, blob []byte, err error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return "ssh-ed25519", counted([]byte("ssh-ed25519"), k), nil
	case *rsa.PublicKey:
		return "ssh-rsa", counted([]byte("ssh-rsa"), positive(big.NewInt(int64(k.E))), positive(k.N)), nil
	case *ecdsa.PublicKey:
		name := fmt.Sprintf("nistp%d", k.Curve.Params().BitSize)
		point, err := k.Bytes()
		return "ecdsa-sha2-" + name, counted([]byte("ecdsa-sha2-"+name), []byte(name), point), err
	}
	return "", nil, fmt.Errorf("OpenSSH has no keys of type %T", key)
}

// readSSHKey reads what writeSSHKey writes.
func readSSHKey(algorithm string, blob []byte) (any, error) {
	var parts [][]byte
	for rest := blob; len(rest) > 0; {
		if len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) > uint64(len(rest)-4) {
			return nil, errors.New("is cut short")
		}
		n := binary.BigEndian.Uint32(rest)
		parts, rest = append(parts, rest[4:4+n]), rest[4+n:]
	}
	switch {
	case algorithm == "ssh-ed25519" && len(parts) == 2 && len(parts[1]) == ed25519.PublicKeySize:
		return ed25519.PublicKey(parts[1]), nil
	case algorithm == "ssh-rsa" && len(parts) == 3:
		e, n := new(big.Int).SetBytes(parts[1]), new(big.Int).SetBytes(parts[2])
		if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || n.BitLen() < 2048 || n.BitLen() > 16384 {
			return nil, errors.New("is an RSA key of a size that is not safe")
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	case strings.HasPrefix(algorithm, "ecdsa-sha2-") && len(parts) == 3 && string(parts[1]) == strings.TrimPrefix(algorithm, "ecdsa-sha2-"):
		curve := map[string]elliptic.Curve{"nistp256": elliptic.P256(), "nistp384": elliptic.P384(), "nistp521": elliptic.P521()}[string(parts[1])]
		point, err := ecdsa.ParseUncompressedPublicKey(curve, parts[2])
		if err != nil {
			return nil, errors.New("is no point of its curve")
		}
		return point, nil
	}
	return nil, errors.New("does not have the parts that its type has")
}

// publicJWK is RFC 7518 §6.2.1, §6.3.1 and RFC 8037 §2, members sorted.
func publicJWK(key any) (json.RawMessage, error) {
	encode := base64.RawURLEncoding.EncodeToString
	members := map[string]string{}
	switch k := key.(type) {
	case ed25519.PublicKey:
		members["kty"], members["crv"], members["x"] = "OKP", "Ed25519", encode(k)
	case *rsa.PublicKey:
		members["kty"], members["n"], members["e"] = "RSA", encode(k.N.Bytes()), encode(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil, err
		}
		half := len(point) / 2
		members["kty"], members["crv"] = "EC", fmt.Sprintf("P-%d", k.Curve.Params().BitSize)
		members["x"], members["y"] = encode(point[1:1+half]), encode(point[1+half:])
	}
	return json.Marshal(members)
}
