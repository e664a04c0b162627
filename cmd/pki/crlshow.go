package main

import (
	"bufio"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/lint/crlwalk"
	"pki.internal/spec"
)

func crlShowCommand(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Say what a CRL says, entry by entry",
		Long: `Say what a CRL says, in DER or PEM, of any length and from anyone, entry by
entry. csv and jsonl give only the entries, in the forms that pki crl sign
--revoked takes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.crlShow(args[0], format) },
	}
	c.Flags().StringVar(&format, "format", "text", "text, csv or jsonl")
	return c
}

func (a *app) crlShow(name, format string) error {
	if format != "text" && format != "csv" && format != "jsonl" {
		return &usageError{fmt.Errorf("--format %s: use text, csv or jsonl", format)}
	}
	if a.json && format != "text" {
		return &usageError{errors.New("--json is one document; --format jsonl is one object a line")}
	}
	file, err := openCRL(name)
	if err != nil {
		return err
	}
	defer file.Close()
	// The whole list is read before anything is said: half of it would look
	// like all of it.
	list, err := file.walk(nil)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(a.stdout, 64<<10)
	switch {
	case format == "csv":
		err = showCSV(file, out)
	case format == "jsonl":
		err = showEntries(file, func(e shownEntry) error { return writeJSONLine(out, e) })
	case a.json:
		err = showJSON(file, list, out)
	default:
		showHead(out, list)
		err = showEntries(file, func(e shownEntry) error {
			_, err := fmt.Fprintf(out, "  %s  %s  %s%s\n", e.Serial, e.Date, e.Reason, invalidSince(e))
			return err
		})
	}
	return errors.Join(err, out.Flush())
}

func invalidSince(e shownEntry) string {
	if e.Invalidity == "" {
		return ""
	}
	return "  not to be trusted since " + e.Invalidity
}

// shownEntry is an entry as our JSON lines have it.
type shownEntry struct {
	Serial     string `json:"serial"`
	Date       string `json:"date"`
	Reason     string `json:"reason,omitempty"`
	Invalidity string `json:"invalidity,omitempty"`
}

func shownOf(e *crlwalk.Entry) shownEntry {
	shown := shownEntry{Serial: hexOf(e.Serial), Date: rfc3339(e.Date), Reason: spec.Reason(e.Reason).String()}
	if e.HasInvalidity {
		shown.Invalidity = rfc3339(e.Invalidity)
	}
	return shown
}

func rfc3339(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

func showEntries(file *crlFile, visit func(shownEntry) error) error {
	_, err := file.walk(func(e *crlwalk.Entry) error { return visit(shownOf(e)) })
	return err
}

func writeJSONLine(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func showCSV(file *crlFile, w io.Writer) error {
	c := csv.NewWriter(w)
	err := c.Write([]string{"serial", "date", "reason", "invalidity"})
	if err == nil {
		err = showEntries(file, func(e shownEntry) error {
			// 0x keeps spreadsheets from making numbers of it.
			return c.Write([]string{"0x" + e.Serial, e.Date, e.Reason, e.Invalidity})
		})
	}
	c.Flush()
	return errors.Join(err, c.Error())
}

// crlHead is what a list says of itself, for programs.
type crlHead struct {
	Issuer     string   `json:"issuer"`
	Version    int      `json:"version"`
	Number     string   `json:"number,omitempty"`
	ThisUpdate string   `json:"this_update"`
	NextUpdate string   `json:"next_update,omitempty"`
	Signature  string   `json:"signature"`
	KeyID      string   `json:"authority_key_id,omitempty"`
	Scope      string   `json:"issuing_distribution_point,omitempty"`
	Delta      bool     `json:"delta"`
	Entries    int      `json:"entries"`
	Sorted     bool     `json:"sorted"`
	Faults     []string `json:"faults,omitempty"`
}

func headOf(l *crlwalk.List) crlHead {
	h := crlHead{
		Issuer: issuerName(l), Version: l.Version, ThisUpdate: rfc3339(l.ThisUpdate.Unix()), Signature: l.AlgorithmName(),
		KeyID: hexOf(l.AuthorityKeyID()), Delta: l.Extension(crlwalk.OIDDelta) != nil,
		Entries: l.Entries, Sorted: l.Sorted, Faults: l.Faults.Words(),
	}
	if n := l.Number(); n != nil {
		h.Number = n.String()
	}
	if !l.NextUpdate.IsZero() {
		h.NextUpdate = rfc3339(l.NextUpdate.Unix())
	}
	if e := l.Extension(crlwalk.OIDIDP); e != nil {
		h.Scope = describeIDP(*e)
	}
	return h
}

func issuerName(l *crlwalk.List) string {
	var rdns pkix.RDNSequence
	if rest, err := asn1.Unmarshal(l.Issuer, &rdns); err != nil || len(rest) > 0 {
		return fmt.Sprintf("%x", l.Issuer)
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdns)
	return name.String()
}

func showHead(w io.Writer, l *crlwalk.List) {
	h := headOf(l)
	rows := []string{"  Issuer\t" + h.Issuer, "  Number\t" + orNone(h.Number), "  This update\t" + instant(l.ThisUpdate)}
	if h.NextUpdate != "" {
		rows = append(rows, "  Next update\t"+instant(l.NextUpdate))
	}
	rows = append(rows, "  Signature\t"+h.Signature+" (not checked; see pki crl verify)", "  authorityKeyIdentifier\t"+orNone(h.KeyID))
	if h.Scope != "" {
		rows = append(rows, "  issuingDistributionPoint\t"+h.Scope)
	}
	if h.Delta {
		rows = append(rows, "  Delta\tit lists only what changed since another CRL")
	}
	rows = append(rows, "  Revoked\t"+count(h.Entries, "certificate"))
	for _, f := range h.Faults {
		rows = append(rows, "  Fault\t"+f)
	}
	fmt.Fprintf(w, "Certificate revocation list\n\n")
	table(w, rows...)
	if h.Entries > 0 {
		fmt.Fprintln(w)
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// showJSON writes the document that every command writes, one entry after
// another.
func showJSON(file *crlFile, list *crlwalk.List, w io.Writer) error {
	head, err := json.Marshal(headOf(list))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "{\"format_version\":\"1.0\",\"command\":\"crl show\",\"result\":{\"crl\":%s,\"entries\":[", head); err != nil {
		return err
	}
	separator := "\n"
	err = showEntries(file, func(e shownEntry) error {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", separator, text)
		separator = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "]}}\n")
	return err
}

// distributionPoint is an issuing distribution point (RFC 5280 §5.2.5).
type distributionPoint struct {
	Name          asn1.RawValue `asn1:"optional,tag:0"`
	OnlyUser      bool          `asn1:"optional,tag:1"`
	OnlyCA        bool          `asn1:"optional,tag:2"`
	OnlySome      asn1.RawValue `asn1:"optional,tag:3"`
	Indirect      bool          `asn1:"optional,tag:4"`
	OnlyAttribute bool          `asn1:"optional,tag:5"`
}

// parseIDP gives nil for what cannot be read.
func parseIDP(value []byte) *distributionPoint {
	var p distributionPoint
	if rest, err := asn1.Unmarshal(value, &p); err != nil || len(rest) > 0 {
		return nil
	}
	return &p
}
