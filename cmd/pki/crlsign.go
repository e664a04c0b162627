package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/ceremony"
	"pki.internal/hsm"
	"pki.internal/lint"
	"pki.internal/lint/crlwalk"
	"pki.internal/plan/revocation"
	"pki.internal/plan/tbs"
	"pki.internal/spec"
)

type crlSignOptions struct {
	issuer, key, passwordFile, previous, out string
	token                                    tokenOptions
	revoked, urls                            []string
	number, validFor, issueEvery, only       string
	reason, date, force, profile             string
	issued, wait, deltaOf, shardBy           string
	freshest, above                          []string
	shards                                   int
}

func crlSignCommand(a *app) *cobra.Command {
	var o crlSignOptions
	c := &cobra.Command{
		Use:   "sign [AUTHORITY]",
		Short: "Sign a CRL with a key in a file or on a token, and publish it",
		Long: `Sign the next CRL of an authority, and publish it as DER, as PEM beside it and
with a manifest. It is made for timers: it exits 0 only when the new CRL is in
place, and asks nothing but a PIN that --pin-file does not give.

With AUTHORITY, which has on_timer = true in its crl block, certificate, key, URLs,
lifetimes and revocation blocks come from the estate and its ledger. Without, they
come from the command line.

--key is a file in PEM, or a key on a token as RFC 7512 names it:
'pkcs11:token=NAME;object=LABEL', with --module or ?module-path=FILE.

--revoked says what is revoked, and may be repeated: openssl's index.txt, CSV
(serial,date,reason), JSON lines (ours, or step-ca's table revoked_x509_certs),
certificates, or a CRL whose entries are taken over; - is standard input. The
form is told by the content. Input sorted by serial number is fastest; memory
does not grow with its length either way.

The CRL that is replaced (--previous, or what lies at --out) is the gate: the
number goes strictly up, and a revocation that vanished or was weakened, a list
that is suddenly empty, or dates that run backwards are refused. --force REASON
overrules the gate, except for the number; the reason is recorded in the
manifest.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.untilDone(c.Context(), o.wait, func() error { return a.crlSign(c.Context(), o, args) })
		},
	}
	f := c.Flags()
	f.StringVar(&o.issuer, "issuer", "", "certificate of the authority (required without AUTHORITY)")
	f.StringVar(&o.key, "key", "", "its private key: a file in PEM, or a pkcs11: URI (required without AUTHORITY)")
	f.StringVar(&o.passwordFile, "password-file", "", "file that holds the password of a key in a file")
	o.token.moduleFlags(c)
	o.token.pinFlags(c)
	f.StringArrayVar(&o.revoked, "revoked", nil, "what is revoked, - for standard input; may be repeated (required without AUTHORITY)")
	f.StringVar(&o.issued, "issued", "", "serial numbers that the authority has issued: index.txt, CSV or JSON lines; others are refused")
	f.StringVar(&o.deltaOf, "delta-of", "", "sign a delta CRL: what changed since this complete one")
	f.StringArrayVar(&o.freshest, "freshest", nil, "where the delta CRLs of a complete one are; may be repeated (default: as in the previous)")
	f.StringArrayVar(&o.above, "above", nil, "another CRL of this authority that the number must exceed, such as its newest delta; may be repeated")
	f.IntVar(&o.shards, "shards", 0, "sign this many CRLs, with {shard} in --out and --url; each certificate belongs to one")
	f.StringVar(&o.shardBy, "shard-by", "serial", "how a certificate is bound to its CRL: serial (a hash), or issued (a column of --issued)")
	f.StringVar(&o.wait, "wait", "", "how long to try again when another process signs, or the token is not there, such as 2m")
	f.StringVar(&o.previous, "previous", "", "the CRL before this one (default: what is at --out)")
	f.StringVar(&o.out, "out", "", "where the CRL goes, in DER; .pem and .json are added beside it (required)")
	f.StringVar(&o.number, "number", "", "CRL number (default: one above the previous; a first CRL needs it)")
	f.StringVar(&o.validFor, "valid-for", "", "how long the CRL counts (default: as long as the previous, else 7d)")
	f.StringVar(&o.issueEvery, "issue-every", "", "how often CRLs are signed; refused when the CRL would end before the next")
	f.StringArrayVar(&o.urls, "url", nil, "where certificates say that this CRL is; may be repeated (default: as in the previous)")
	f.StringVar(&o.only, "only", "", "ca: the CRL is about CA certificates alone; all (default: ca for a root)")
	f.StringVar(&o.reason, "reason", "", "why certificates given to --revoked are revoked")
	f.StringVar(&o.date, "date", "", "since when they are revoked (default: now)")
	f.StringVar(&o.force, "force", "", "overrule the gate for this reason, which is recorded")
	f.StringVar(&o.profile, "profile", "private", "lint profile: "+strings.Join(lint.Profiles(), ", "))
	return c
}

// crlSigner is one run of crl sign.
type crlSigner struct {
	*app
	o          crlSignOptions
	now        time.Time
	issuer     *x509.Certificate
	algorithm  spec.Algorithm
	key        hsm.Key
	store      hsm.Store // that the key is in, nil for a file
	previous   *crlFile
	before     *crlwalk.List
	beforeHash []byte
	signed     error // of the list before, held against the issuer
	number     *big.Int
	floor      *big.Int // number in the ledger, nil when there is none
	template   tbs.CRL
	scope      []byte
	blocks     []tbs.Entry     // revocations of the estate
	described  *spec.Authority // by the estate; nil when it stands alone
	base       *crlFile        // that a delta list is held against
	baseList   *crlwalk.List
	shared     *revocation.Sorter // records of all shards; nil without shards
	shard      int
	onlyCA     bool
	summary    revocation.Summary
	forced     []revocation.Objection
}

func (a *app) crlSign(ctx context.Context, o crlSignOptions, args []string) error {
	for _, need := range []struct{ flag, value string }{{"issuer", o.issuer}, {"key", o.key}, {"out", o.out}, {"revoked", strings.Join(o.revoked, " ")}} {
		if need.value == "" && (len(args) == 0 || need.flag == "out") {
			return &usageError{fmt.Errorf("--%s is needed; see pki crl sign --help", need.flag)}
		}
	}
	if o.force != "" && strings.TrimSpace(o.force) == "" {
		return &usageError{errors.New("--force needs a reason in words: it is recorded in the manifest, for whoever asks later")}
	}
	// Parsing CSV and JSON makes garbage, which would pile up to as much again as
	// is needed; small containers hold 64 MiB.
	defer debug.SetGCPercent(debug.SetGCPercent(40))
	s := &crlSigner{app: a, o: o, now: a.now().UTC().Truncate(time.Second)}
	defer s.closeKey()
	if len(args) == 1 {
		root, err := s.folder()
		if err != nil {
			return err
		}
		defer root.Close()
		if err := s.fromEstate(ctx, root, args[0]); err != nil {
			return err
		}
	}
	if o.shards != 0 {
		return s.signShards(ctx)
	}
	m, err := s.sign(ctx)
	if err != nil {
		return err
	}
	s.warnScope()
	return s.emit("crl sign", m, func(w io.Writer) { s.describe(w, *m) })
}

// warnScope says what a distribution point does to a root's list. Verifiers that
// check every certificate of a chain look the root up too, and its own
// certificate names no list (RFC 5280 §6.3.3 (b)).
func (s *crlSigner) warnScope() {
	if len(s.o.urls) > 0 && bytes.Equal(s.issuer.RawSubject, s.issuer.RawIssuer) {
		fmt.Fprintf(s.stderr, "Warning: %q is self-signed, and no distribution point stands in its own certificate: openssl -crl_check_all and nginx refuse it with this CRL. Leave --url out unless clients need it.\n", s.issuer.Subject)
	}
}

// sign makes one list and publishes it.
func (s *crlSigner) sign(ctx context.Context) (*manifest, error) {
	unlock, err := lockOutput(s.o.out)
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer func() {
		for _, f := range []*crlFile{s.previous, s.base} {
			if f != nil {
				f.Close()
			}
		}
	}()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	draft, err := s.newDraft()
	if err != nil {
		return nil, err
	}
	defer draft.Close()
	if err := s.compile(ctx, draft); err != nil {
		return nil, err
	}
	judged, err := s.seal(ctx, draft)
	if err != nil {
		return nil, err
	}
	return s.publish(draft, judged)
}

// open reads everything that can be wrong before the input is read: issuer,
// key, and the list before.
func (s *crlSigner) open(ctx context.Context) error {
	if err := s.openIssuer(ctx); err != nil {
		return err
	}
	if err := s.openBase(); err != nil {
		return err
	}
	if err := s.readAbove(); err != nil {
		return err
	}
	if err := s.openPrevious(); err != nil {
		return err
	}
	return s.head()
}

// openIssuer reads the certificate and opens its key, unless that is done.
func (s *crlSigner) openIssuer(ctx context.Context) error {
	var err error
	if s.issuer == nil {
		if s.issuer, err = readCertificate(s.o.issuer); err != nil {
			return err
		}
		if tbs.FromRehearsal(s.issuer) {
			return &ceremony.Refusal{Fact: s.o.issuer + " was made in a rehearsal", Next: "name the certificate that clients trust"}
		}
	}
	if s.algorithm == "" { // an estate's ledger says how the key signs
		if s.algorithm, err = tbs.SignedAs(s.issuer); err != nil {
			return fmt.Errorf("%s: %w", s.o.issuer, err)
		}
	}
	// RFC 5280 §5.2.1: the list says which key signed it.
	if len(s.issuer.SubjectKeyId) == 0 {
		return fmt.Errorf("%s has no subject key identifier, and a CRL must name its key (RFC 5280 §5.2.1); issue the authority a new certificate", s.o.issuer)
	}
	if s.floor, err = s.ledgerNumber(); err != nil || s.key != nil {
		return err
	}
	return s.openKey(ctx)
}

// openPrevious finds the list that will be replaced, and reads it once whole.
func (s *crlSigner) openPrevious() error {
	name := s.o.previous
	if name == "" {
		name = s.o.out
	}
	previous, err := openCRL(name)
	if errors.Is(err, fs.ErrNotExist) && s.o.previous == "" {
		return nil
	}
	if err != nil {
		return s.unreadable(name, err)
	}
	s.previous = previous
	hash := sha256.New()
	if s.before, err = previous.walkThrough(hash, nil); err != nil {
		return s.unreadable(name, err)
	}
	s.beforeHash = hash.Sum(nil)
	s.signed = s.before.CheckIssuer(s.issuer)
	if err := s.rightKind(name); err != nil {
		return err
	}
	if s.o.previous == "" {
		return nil
	}
	return s.replacesPrevious()
}

// unreadable says how to go on when the list before cannot be read: whoever
// begins anew without one loses its number and its revocations.
func (s *crlSigner) unreadable(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if name == s.o.out {
		return fmt.Errorf("%w; move it away, and give the newest CRL that is whole with --previous: %s.pem, or what the URL gives", err, name)
	}
	return fmt.Errorf("%w; give the newest CRL that is whole with --previous", err)
}

// replacesPrevious makes sure that the list at --out is the one that the new
// list is held against.
func (s *crlSigner) replacesPrevious() error {
	there, err := openCRL(s.o.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer there.Close()
	hash := sha256.New()
	list, err := there.walkThrough(hash, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(hash.Sum(nil), s.beforeHash) {
		return &ceremony.Refusal{
			Fact: fmt.Sprintf("%s holds CRL number %s, which is not the one that --previous names", s.o.out, list.Number()),
			Next: "leave --previous out, so that the CRL that is replaced is the one that is compared",
		}
	}
	return nil
}

// seal has lint judge the list and the key sign it, and completes the draft. It
// gives the digest of the to-be-signed bytes that were judged, or the bytes
// themselves.
func (s *crlSigner) seal(ctx context.Context, draft *crlDraft) ([]byte, error) {
	head, tail, err := s.template.Frame(tbs.Keys{}, draft.size)
	if err != nil {
		return nil, err
	}
	linter, err := lint.New(s.o.profile)
	if err != nil {
		return nil, &usageError{err}
	}
	stream := lint.CRLStream{TBS: io.MultiReader(bytes.NewReader(head), draft.entries(), bytes.NewReader(tail)), Issuer: s.issuer.Raw}
	if s.o.issueEvery != "" {
		d, err := spec.ParseDuration(s.o.issueEvery)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--issue-every: %w", err)}
		}
		stream.NextSigning = d.From(s.now)
	}
	cleared, _, err := linter.ClearCRLStream(stream, "the CRL", lint.Policy{}, s.now)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	signature, err := ceremony.SealCRL(ctx, s.key, s.algorithm, s.issuer.RawSubjectPublicKeyInfo, cleared)
	if err != nil {
		return nil, err
	}
	before, after, err := tbs.Envelope(int64(len(head))+draft.size+int64(len(tail)), s.algorithm, signature)
	if err != nil {
		return nil, err
	}
	judged, hash := cleared.Digest()
	if hash == 0 {
		judged = cleared.TBS()
	}
	return judged, draft.complete(append(before, head...), append(tail, after...))
}

// describe says what was published.
func (s *crlSigner) describe(w io.Writer, m manifest) {
	kind := "CRL"
	if s.baseList != nil {
		kind = "Delta CRL"
	}
	fmt.Fprintf(w, "%s number %s of %s: %s, until %s\n", kind, m.Number, m.Issuer, count(m.Entries, "revocation"), instant(m.NextUpdate))
	fmt.Fprintf(w, "%s: SHA-256 %s\n", s.o.out, m.DER.SHA256)
	d, since := s.summary, m.Previous
	if m.Base != nil {
		since = m.Base
	}
	if since != nil {
		fmt.Fprintf(w, "since number %s: %d added, %d changed, %d expired, %d lifted, %d vanished\n", since.Number, d.Added, d.Changed, d.Expired, d.Lifted, d.Vanished)
	}
	for _, o := range s.forced {
		fmt.Fprintf(w, "overruled (%s): %s (%s)\n", s.o.force, o.Detail, o.Rule)
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
