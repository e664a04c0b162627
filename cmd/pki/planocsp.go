package main

import (
	"fmt"
	"io"
	"strings"

	"pki.internal/plan"
)

// printOCSP writes what an answer says.
func printOCSP(w io.Writer, o *plan.OCSPAction) {
	t := o.Template
	status := "good"
	if t.Revoked != nil {
		status = "revoked on " + instant(t.Revoked.Date) + ", " + reasonName(t.Revoked.Reason)
	}
	bytesLine := fmt.Sprintf("template; open until action %d: the hash of the issuer's key", o.Issuer.MadeBy)
	if o.TBS != nil {
		bytesLine = fmt.Sprintf("fixed, %d bytes, SHA-256 %s", len(o.TBS), sha256Hex(o.TBS))
	}
	rows := []string{
		"       Serial\t" + t.Serial, "       Status\t" + status, "       This update\t" + instant(t.ThisUpdate),
		"       Next update\t" + instant(t.NextUpdate), "       Bytes\t" + bytesLine,
	}
	for _, line := range findingLines(o.Findings) {
		rows = append(rows, "       Lint\t"+line)
	}
	if len(o.Findings) == 0 {
		rows = append(rows, "       Lint\tnothing found")
	}
	table(w, append(rows, "       Writes\t"+strings.Join(o.Outputs, " "))...)
}
