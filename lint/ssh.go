package lint

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SSHCertificate is an OpenSSH certificate under judgement.
type SSHCertificate struct {
	// Data is a line as in id_ed25519-cert.pub, or the certificate in its wire
	// format.
	Data []byte
	// Longest is the longest life that is allowed; zero when there is no limit.
	Longest time.Duration
	// Automation says that a program uses the certificate, and no person.
	Automation bool
	// OtherKeys are the keys of every authority but the one that signed: X.509
	// authorities, and SSH authorities of the other kind.
	OtherKeys []KnownKey
}

// Kinds of SSH certificates.
const (
	sshUser = 1
	sshHost = 2
)

// sshForever is the end of a certificate that has none.
const sshForever = 1<<64 - 1

// sshCertificate is what a rule sees of an SSH certificate.
type sshCertificate struct {
	given           SSHCertificate
	algorithm       string   // of the key that is certified, such as ssh-rsa
	key             [][]byte // its parts
	serial          uint64
	kind            uint32
	keyID           string
	principals      []string
	after, before   uint64
	critical        []string
	extensions      []string
	authority       []byte // the signature key, in wire format
	signatureFormat string
	// signed is what the signature is over.
	signed, signature []byte
}

// SSH judges an OpenSSH certificate. When the clock is zero, rules about time
// do not apply. The findings are sorted.
func (l *Linter) SSH(c SSHCertificate, now time.Time) []Finding {
	parsed, err := readSSH(c.Data)
	if err != nil {
		return []Finding{unparsable().finding(fmt.Sprintf("the SSH certificate cannot be read: %v", err))}
	}
	parsed.given = c
	findings := l.run(ObjectSSH, &object{now: now, ssh: parsed})
	sortFindings(findings)
	return findings
}

// SSHAuthority is the key of the authority that signed an SSH certificate, and
// whether the certificate is a host's. It is not ok for what cannot be read, and
// for keys of a kind that X.509 does not have.
func SSHAuthority(data []byte) (spki []byte, host, ok bool) {
	c, err := readSSH(data)
	if err != nil {
		return nil, false, false
	}
	spki = sshSPKI(c.authority)
	return spki, c.kind == sshHost, spki != nil
}

// IsSSH says whether data looks like an OpenSSH certificate.
func IsSSH(data []byte) bool {
	name, _, _ := strings.Cut(strings.TrimSpace(string(data[:min(len(data), 100)])), " ")
	if strings.HasSuffix(name, "-cert-v01@openssh.com") {
		return true
	}
	first, _, err := sshString(data)
	return err == nil && strings.HasSuffix(string(first), "-cert-v01@openssh.com")
}

var errSSHShort = errors.New("it ends too early")

// sshString reads a length and as many octets (RFC 4251 §5).
func sshString(data []byte) (value, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errSSHShort
	}
	length := binary.BigEndian.Uint32(data)
	if uint64(length) > uint64(len(data)-4) {
		return nil, nil, errSSHShort
	}
	return data[4 : 4+length], data[4+length:], nil
}

// sshReader reads one field after the other and keeps the first error.
type sshReader struct {
	rest []byte
	err  error
}

func (r *sshReader) text() []byte {
	if r.err != nil {
		return nil
	}
	var value []byte
	value, r.rest, r.err = sshString(r.rest)
	return value
}

func (r *sshReader) number(octets int) uint64 {
	if r.err == nil && len(r.rest) < octets {
		r.err = errSSHShort
	}
	if r.err != nil {
		return 0
	}
	var n uint64
	for _, b := range r.rest[:octets] {
		n = n<<8 | uint64(b)
	}
	r.rest = r.rest[octets:]
	return n
}

// keyFields is how many fields the public key of a certificate's type has.
func keyFields(kind string) (int, bool) {
	n, known := map[string]int{
		"ssh-ed25519-cert-v01@openssh.com": 1, "sk-ssh-ed25519-cert-v01@openssh.com": 2,
		"ssh-rsa-cert-v01@openssh.com": 2, "ssh-dss-cert-v01@openssh.com": 4,
		"ecdsa-sha2-nistp256-cert-v01@openssh.com": 2, "ecdsa-sha2-nistp384-cert-v01@openssh.com": 2,
		"ecdsa-sha2-nistp521-cert-v01@openssh.com": 2, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com": 3,
	}[kind]
	return n, known
}

// readSSH reads a certificate (OpenSSH PROTOCOL.certkeys).
func readSSH(data []byte) (*sshCertificate, error) {
	if fields := strings.Fields(string(data)); len(fields) >= 2 && strings.HasSuffix(fields[0], "-cert-v01@openssh.com") {
		decoded, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil {
			return nil, fmt.Errorf("the second word is no base64: %w", err)
		}
		data = decoded
	}
	r := &sshReader{rest: data}
	kind := string(r.text())
	fields, known := keyFields(kind)
	if r.err == nil && !known {
		return nil, fmt.Errorf("the type %.60q is not one of an SSH certificate", kind)
	}
	r.text() // the nonce comes first
	parts := make([][]byte, fields)
	for i := range parts {
		parts[i] = r.text()
	}
	c := &sshCertificate{algorithm: strings.TrimSuffix(kind, "-cert-v01@openssh.com"), key: parts, serial: r.number(8), kind: uint32(r.number(4)), keyID: string(r.text())}
	principals := r.text()
	c.after, c.before = r.number(8), r.number(8)
	critical, extensions := r.text(), r.text()
	r.text() // reserved
	c.authority = bytes.Clone(r.text())
	c.signed = data[:len(data)-len(r.rest)]
	signature := &sshReader{rest: r.text(), err: r.err}
	c.signatureFormat, c.signature = string(signature.text()), signature.text()
	if signature.err != nil {
		return nil, signature.err
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("%d octets follow it", len(r.rest))
	}
	if c.kind != sshUser && c.kind != sshHost {
		return nil, fmt.Errorf("its type is %d, neither user nor host", c.kind)
	}
	for list := (&sshReader{rest: principals}); len(list.rest) > 0; {
		c.principals = append(c.principals, string(list.text()))
		if list.err != nil {
			return nil, list.err
		}
	}
	var err error
	if c.critical, err = sshOptions(critical); err != nil {
		return nil, err
	}
	c.extensions, err = sshOptions(extensions)
	return c, err
}

// sshOptions is the names of options.
func sshOptions(data []byte) ([]string, error) {
	var names []string
	for list := (&sshReader{rest: data}); len(list.rest) > 0; {
		names = append(names, string(list.text()))
		list.text()
		if list.err != nil {
			return nil, list.err
		}
	}
	return names, nil
}
