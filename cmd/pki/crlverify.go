package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"pki.internal/lint/crlwalk"
)

func crlVerifyCommand(a *app) *cobra.Command {
	var issuer string
	c := &cobra.Command{
		Use:   "verify FILE…",
		Short: "Check CRLs: signature, issuer, dates, entries",
		Long: `Check CRLs of any length, in DER or PEM: that they are by the issuer, good now,
and that every entry is as RFC 5280 writes it. Exits 2 when one is not.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, names []string) error { return a.crlVerify(names, issuer) },
	}
	c.Flags().StringVar(&issuer, "issuer", "", "certificate of the issuer (required)")
	return c
}

// verifiedCRL is what was found out about one CRL.
type verifiedCRL struct {
	File     string   `json:"file"`
	CRL      *crlHead `json:"crl,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

func (a *app) crlVerify(names []string, issuerName string) error {
	if issuerName == "" {
		return &usageError{fmt.Errorf("--issuer is needed; see pki crl verify --help")}
	}
	issuer, err := readCertificate(issuerName)
	if err != nil {
		return err
	}
	var all []verifiedCRL
	bad := false
	for _, name := range names {
		v := verifiedCRL{File: name}
		file, err := openCRL(name)
		var list *crlwalk.List
		if err == nil {
			list, err = file.walk(nil)
			file.Close()
		}
		if err != nil {
			v.Problems = append(v.Problems, err.Error())
		} else {
			head := headOf(list)
			v.CRL = &head
			if err := list.CheckIssuer(issuer); err != nil {
				v.Problems = append(v.Problems, err.Error())
			}
			v.Problems = append(v.Problems, a.crlProblems(list)...)
		}
		bad = bad || len(v.Problems) > 0
		all = append(all, v)
	}
	if err := a.emit("crl verify", all, func(w io.Writer) { printCheckedCRLs(w, all) }); err != nil {
		return err
	}
	if bad {
		return &changesError{}
	}
	return nil
}

// crlProblems says what is wrong with a list beside its signature.
func (a *app) crlProblems(l *crlwalk.List) []string {
	problems := l.Faults.Words()
	now := a.now()
	switch {
	case now.Before(l.ThisUpdate):
		problems = append(problems, fmt.Sprintf("it is of %s, and it is %s: a clock is wrong", instant(l.ThisUpdate), instant(now)))
	case l.NextUpdate.IsZero():
		problems = append(problems, "it names no next update (RFC 5280 §5.1.2.5), so nobody can tell a stale copy")
	case !now.Before(l.NextUpdate):
		problems = append(problems, fmt.Sprintf("it ended on %s; publish its successor", instant(l.NextUpdate)))
	}
	return problems
}

func printCheckedCRLs(w io.Writer, all []verifiedCRL) {
	for _, v := range all {
		if len(v.Problems) == 0 {
			fmt.Fprintf(w, "ok   %s: CRL number %s of %s, %s, until %s\n", v.File, orNone(v.CRL.Number), v.CRL.Issuer, count(v.CRL.Entries, "revocation"), v.CRL.NextUpdate)
			continue
		}
		for _, p := range v.Problems {
			fmt.Fprintf(w, "bad  %s: %s\n", v.File, p)
		}
	}
}
