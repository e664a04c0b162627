package lint

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"

	"pki.internal/plan/tbs/public"
)

// Logs are the certificate transparency logs that a relying party trusts.
type Logs struct {
	known map[[sha256.Size]byte]trustedLog
}

type trustedLog struct {
	name     string
	verifier *ct.SignatureVerifier
}

// Add takes a log by its public key (SubjectPublicKeyInfo in DER), whose digest
// is its id (RFC 6962 §3.2).
func (l *Logs) Add(name string, spki []byte) error {
	key, err := public.Parse(spki)
	if err != nil {
		return fmt.Errorf("the key of the log %q: %w", name, err)
	}
	verifier, err := ct.NewSignatureVerifier(key)
	if err != nil {
		return fmt.Errorf("the key of the log %q: %w", name, err)
	}
	if l.known == nil {
		l.known = map[[sha256.Size]byte]trustedLog{}
	}
	l.known[sha256.Sum256(spki)] = trustedLog{name, verifier}
	return nil
}

// ReadLogs reads a log list as browsers publish it (version 3 of Google's
// schema: operators, each with logs and tiled_logs).
func ReadLogs(text []byte) (*Logs, error) {
	type log struct {
		Description string `json:"description"`
		Key         []byte `json:"key"`
	}
	var list struct {
		Operators []struct {
			Logs  []log `json:"logs"`
			Tiled []log `json:"tiled_logs"`
		} `json:"operators"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("not a log list: %w", err)
	}
	logs := &Logs{}
	for _, o := range list.Operators {
		for _, l := range append(o.Logs, o.Tiled...) {
			if err := logs.Add(l.Description, l.Key); err != nil {
				return nil, err
			}
		}
	}
	if len(logs.known) == 0 {
		return nil, errors.New("a log list without logs; give it as browsers publish it (log_list.json, version 3)")
	}
	return logs, nil
}

// timestampRules are about signed certificate timestamps.
func timestampRules() []Rule {
	return []Rule{{
		ID: "e_ca_sct_invalid", Severity: Error, Object: ObjectCertificate,
		Title:     "every signed certificate timestamp is by a log that is trusted, and over this certificate",
		Harm:      "browsers refuse a certificate whose timestamps do not verify, whoever issued it",
		Citation:  "RFC 6962 §3.2, §3.3",
		Effective: rfc6962,
		Advice:    "have the certificate issued again with timestamps of logs that browsers trust, or give a newer log list",
		applies: func(o *object) bool {
			return o.cert.given.Logs != nil && o.cert.issuer != nil && hasExtension(o.cert.Certificate, "1.3.6.1.4.1.11129.2.4.2")
		},
		check: checkTimestamps,
	}}
}

// checkTimestamps verifies each timestamp that stands in the certificate.
func checkTimestamps(o *object) []string {
	leaf, err := ctx509.ParseCertificate(o.cert.Raw)
	if ctx509.IsFatal(err) {
		return []string{fmt.Sprintf("the timestamps cannot be read: %v", err)}
	}
	issuer, err := ctx509.ParseCertificate(o.cert.issuer.Raw)
	if ctx509.IsFatal(err) {
		return []string{fmt.Sprintf("the issuer's certificate cannot be read for the timestamps: %v", err)}
	}
	var details []string
	for i, serialized := range leaf.SCTList.SCTList {
		if problem := checkTimestamp(o, serialized.Val, leaf, issuer); problem != "" {
			details = append(details, fmt.Sprintf("timestamp %d of %d: %s", i+1, len(leaf.SCTList.SCTList), problem))
		}
	}
	if len(leaf.SCTList.SCTList) == 0 {
		details = append(details, "the list of timestamps is empty")
	}
	return details
}

// checkTimestamp says what is wrong with one timestamp, or nothing.
func checkTimestamp(o *object, raw []byte, leaf, issuer *ctx509.Certificate) string {
	var sct ct.SignedCertificateTimestamp
	if rest, err := tls.Unmarshal(raw, &sct); err != nil || len(rest) > 0 {
		return "it cannot be read"
	}
	log, known := o.cert.given.Logs.known[sct.LogID.KeyID]
	if !known {
		return fmt.Sprintf("its log, with the id %x, is not on the list", sct.LogID.KeyID)
	}
	at := time.UnixMilli(int64(sct.Timestamp)) // milliseconds since 1970 (RFC 6962 §3.2)
	if !o.now.IsZero() && at.After(o.now) {
		return fmt.Sprintf("the log %q will give it on %s", log.name, date(at))
	}
	entry, err := ct.MerkleTreeLeafForEmbeddedSCT([]*ctx509.Certificate{leaf, issuer}, sct.Timestamp)
	if err != nil {
		return fmt.Sprintf("what the log %q signed cannot be built: %v", log.name, err)
	}
	if err := log.verifier.VerifySCTSignature(sct, ct.LogEntry{Leaf: *entry}); err != nil {
		return fmt.Sprintf("the signature of the log %q is not over this certificate: %v", log.name, err)
	}
	return ""
}
