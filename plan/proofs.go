package plan

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"

	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

// Proofs is a set of signatures that verify. Which ones are in it changes how
// long Apply takes and never what it says: what is missing it verifies itself.
type Proofs struct {
	known map[[sha256.Size]byte]struct{}
}

// few is how many signatures Apply verifies as it comes to them.
const few = 2

// Prove verifies the signatures of certificates and lists in the facts of a
// ledger, in order, on all processors. It judges nothing else, and says nothing
// of what does not verify: Apply finds that in its place.
func Prove(facts []Event) *Proofs {
	jobs := signatures(facts)
	if len(jobs) < few {
		return nil
	}
	good := make([]bool, len(jobs))
	inParallel(len(jobs), func(i int) { good[i] = jobs[i].verify() })
	p := &Proofs{known: make(map[[sha256.Size]byte]struct{}, len(jobs))}
	for i, job := range jobs {
		if good[i] {
			p.known[job.sum] = struct{}{}
		}
	}
	return p
}

// Knowing gives the state with proofs that Apply need not repeat.
func (s State) Knowing(p *Proofs) State {
	s.proofs = p
	return s
}

// verify verifies a signature, unless it is known to verify.
func (s State) verify(a spec.Algorithm, spki, message, signature []byte) error {
	if s.proofs != nil {
		if _, known := s.proofs.known[proofSum(a, spki, message, signature)]; known {
			return nil
		}
	}
	return tbs.Verify(a, spki, message, signature)
}

// signatureJob is one signature that is verified ahead.
type signatureJob struct {
	der       []byte
	list      bool
	algorithm spec.Algorithm
	spki      []byte
	sum       [sha256.Size]byte
}

func (j *signatureJob) verify() bool {
	var message, signature []byte
	if j.list {
		l, err := x509.ParseRevocationList(j.der)
		if err != nil {
			return false
		}
		message, signature = l.RawTBSRevocationList, l.Signature
	} else {
		c, err := x509.ParseCertificate(j.der)
		if err != nil {
			return false
		}
		message, signature = c.RawTBSCertificate, c.Signature
	}
	j.sum = proofSum(j.algorithm, j.spki, message, signature)
	return tbs.Verify(j.algorithm, j.spki, message, signature) == nil
}

// signatures lists the certificates and lists of a ledger with the keys that the
// plans name for them.
func signatures(facts []Event) []signatureJob {
	var jobs []signatureJob
	var open *Plan
	keys := map[signer][]byte{}
	for _, e := range facts {
		switch {
		case e.Begun != nil:
			open = e.Begun.Plan
		case e.KeyMade != nil:
			keys[signer{e.KeyMade.Address, e.KeyMade.Key.Generation}] = e.KeyMade.SPKI
		case e.Certificate != nil, e.CRL != nil, e.Sealed != nil:
			signed := cmp.Or(e.Certificate, e.CRL, e.Sealed)
			if open == nil || signed.DER == nil || signed.Action < 1 || signed.Action > len(open.Actions) {
				continue
			}
			issuer, signs := open.Actions[signed.Action-1].Issuer()
			if !signs {
				continue
			}
			spki := issuer.SPKI
			if spki == nil {
				spki = keys[signer{issuer.Address, issuer.Generation}]
			}
			jobs = append(jobs, signatureJob{der: signed.DER, list: e.Certificate == nil, algorithm: issuer.Algorithm, spki: spki})
		}
	}
	return jobs
}

// proofSum names a signature over a message under a key.
func proofSum(a spec.Algorithm, spki, message, signature []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(a), spki, message, signature} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	h.Sum(sum[:0])
	return sum
}
