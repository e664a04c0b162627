package revocation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"pki.internal/spec"
)

// read gives what Read makes of a text, one record to a line.
func read(text string, how ForCertificates) (Form, string, error) {
	var b strings.Builder
	form, err := Read(strings.NewReader(text), how, func(r *Record) error {
		b.WriteString(r.Serial.String() + " " + stamp(r.Date) + " " + r.Reason.String())
		if r.Expires != Unknown {
			b.WriteString(" expires " + stamp(r.Expires))
		}
		if r.Invalidity != Unknown {
			b.WriteString(" invalid " + stamp(r.Invalidity))
		}
		b.WriteString("\n")
		return nil
	})
	return form, b.String(), err
}

const stepLine = `{"Serial":"255","ProvisionerID":"admin/x","ReasonCode":1,"Reason":"lost","RevokedAt":"2026-05-01T10:00:00.987654321Z","ExpiresAt":"2026-06-01T00:00:00Z","TokenID":"t","MTLS":false,"ACME":false}`

func TestReadForms(t *testing.T) {
	const step = "ff 2026-05-01T10:00:00Z key_compromise expires 2026-06-01T00:00:00Z\n"
	for name, c := range map[string]struct {
		text string
		form Form
		want string
	}{
		"nothing":         {"", FormEmpty, ""},
		"white space":     {" \n\r\n\n", FormEmpty, ""},
		"index":           {"V\t301231000000Z\t\t01\tunknown\t/CN=a\nR\t301231000000Z\t260501100000Z\t0AFF\tunknown\t/CN=b\nE\t200101000000Z\t\t02\tunknown\t/CN=c\n", FormIndex, "0aff 2026-05-01T10:00:00Z unspecified expires 2030-12-31T00:00:00Z\n"},
		"index, reasons":  {"R\t20601231000000Z\t260501100000Z,superseded\t0A\tunknown\t/CN=b\r\nR\t301231000000Z\t260501100000Z,keyTime,20260401000000Z\t0B\tunknown\t/CN=b\nR\t301231000000Z\t260501100000Z,CACompromise\t0C\tunknown\t/CN=b\nR\t301231000000Z\t260501100000Z,holdInstruction,1.2.3\t0D\tunknown\t/CN=b", FormIndex, "0a 2026-05-01T10:00:00Z superseded expires 2060-12-31T00:00:00Z\n0b 2026-05-01T10:00:00Z key_compromise expires 2030-12-31T00:00:00Z invalid 2026-04-01T00:00:00Z\n0c 2026-05-01T10:00:00Z ca_compromise expires 2030-12-31T00:00:00Z\n0d 2026-05-01T10:00:00Z certificate_hold expires 2030-12-31T00:00:00Z\n"},
		"csv":             {"0a:ff,2026-05-01T10:00:00Z,keyCompromise\n0x0B,2026-05-01,\n", FormCSV, "0aff 2026-05-01T10:00:00Z key_compromise\n0b 2026-05-01T00:00:00Z unspecified\n"},
		"csv, two":        {"0a,2026-05-01T12:00:00+02:00\n", FormCSV, "0a 2026-05-01T10:00:00Z unspecified\n"},
		"csv with names":  {"\ufeffReason,Serial_Decimal,date,invalidity,expires\r\nsuperseded,255,260501100000Z,2026-04-01T00:00:00Z,2030-01-01\r\n", FormCSV, "ff 2026-05-01T10:00:00Z superseded expires 2030-01-01T00:00:00Z invalid 2026-04-01T00:00:00Z\n"},
		"json":            {`{"serial":"0aff","date":"2026-05-01T10:00:00Z","reason":"superseded","expires":"2030-01-01T00:00:00Z","invalidity":"2026-04-01T00:00:00Z"}` + "\n\n", FormJSON, "0aff 2026-05-01T10:00:00Z superseded expires 2030-01-01T00:00:00Z invalid 2026-04-01T00:00:00Z\n"},
		"step-ca":         {stepLine + "\n", FormJSON, step},
		"step-ca, psql":   {`\x` + hex.EncodeToString([]byte(stepLine)) + "\n", FormJSON, step},
		"step-ca, mysql":  {"0x" + strings.ToUpper(hex.EncodeToString([]byte(stepLine))) + "\n", FormJSON, step},
		"step-ca, before": {`{"Serial":"255","RevokedAt":"2026-05-01T10:00:00Z","ExpiresAt":"0001-01-01T00:00:00Z"}`, FormJSON, "ff 2026-05-01T10:00:00Z unspecified\n"},
	} {
		form, got, err := read(c.text, ForCertificates{})
		if err != nil || form != c.form || got != c.want {
			t.Errorf("%s: %s, %v\n%swant\n%s", name, form, err, got, c.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"index, letter":         {"R\t301231000000Z\t260501100000Z\t0A\tunknown\t/CN=b\nX\t301231000000Z\t260501100000Z\t0A\tunknown\t/CN=b\n", "line 2: the status is"},
		"index, no date":        {"R\t301231000000Z\t\t0A\tunknown\t/CN=b\n", "date of revocation"},
		"index, cut":            {"R\t301231000000Z\t260501100000Z\t0A\tunknown\t/CN=b\nR\t3012", "six fields"},
		"index, serial":         {"R\t301231000000Z\t260501100000Z\tXY\tunknown\t/CN=b\n", "serial number"},
		"index, zero":           {"R\t301231000000Z\t260501100000Z\t00\tunknown\t/CN=b\n", "positive"},
		"index, long":           {"R\t301231000000Z\t260501100000Z\t" + strings.Repeat("AB", 21) + "\tunknown\t/CN=b\n", "1 to 20 octets"},
		"index, reason":         {"R\t301231000000Z\t260501100000Z,fun\t0A\tunknown\t/CN=b\n", "is not a reason"},
		"csv, no date":          {"0a\n", "a serial number and a date"},
		"csv, many columns":     {"0a,2026-05-01,superseded,2026-05-01,2026-05-01,x\n", "6 columns"},
		"csv, decimal":          {"133700000000000000000001,2026-05-01\n", "serial_decimal"},
		"csv, unknown column":   {"serial,date,why\n0a,2026-05-01,x\n", `"why"`},
		"csv, long":             {"serial,date\n" + strings.Repeat("a", maxLine+1), "octets"},
		"text":                  {"Dear colleague,\nplease revoke mine.\n", "serial number"},
		"json, array":           {"{\"serial\":\"0a\",\"date\":\"2026-05-01\"}\n[1]\n", "line 2: one JSON object"},
		"json, unknown":         {`{"serial":"0a","date":"2026-05-01","fun":"x"}`, "fun"},
		"json, twice":           {`{"serial":"0a","serial":"0b","date":"2026-05-01"}`, "stands twice"},
		"json, two on a line":   {`{"serial":"0a","date":"2026-05-01"}{}`, "text follows"},
		"json, no date":         {`{"serial":"0a"}`, "a serial number and a date"},
		"json, number":          {`{"serial":10,"date":"2026-05-01"}`, "a string is expected"},
		"step-ca, hex":          {`{"Serial":"0xff","RevokedAt":"2026-05-01T10:00:00Z"}`, "not decimal"},
		"step-ca, no date":      {`{"Serial":"255"}`, "RevokedAt"},
		"step-ca, reason":       {`{"Serial":"255","ReasonCode":7,"RevokedAt":"2026-05-01T10:00:00Z"}`, "ReasonCode"},
		"step-ca, damaged":      {`\x7b7`, "hexadecimal is damaged"},
		"a line without end":    {"R\t301231000000Z\t260501100000Z\t0A\tu\t" + strings.Repeat("x", 300<<10), "octets"},
		"PEM of something else": {"-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n", "PRIVATE KEY"},
		"damaged PEM":           {"-----BEGIN CERTIFICATE-----\nM\n", "damaged"},
		"binary":                {"\x30\x82\x01\x00abc", "CRL"},
		"far text":              {strings.Repeat("\n", 5000) + "0a,2026-05-01\n", "4 KiB of white space"},
	} {
		_, got, err := read(c.text, ForCertificates{})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q\n%s", name, err, c.says, got)
		}
	}
}

// certificates makes an authority and one certificate below it.
func certificates(t *testing.T, isCA bool) (ca, below *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(c, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	template := func(name string, serial int64, isCA bool) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, IsCA: isCA, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Unix(1.7e9, 0), NotAfter: time.Unix(1.9e9, 0),
		}
	}
	ca = template("ca", 1, true)
	ca = sign(ca, ca)
	return ca, sign(template("below", 0x1234, isCA), ca)
}

func TestReadCertificates(t *testing.T) {
	ca, below := certificates(t, true)
	stranger, _ := certificates(t, false)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: below.Raw}))
	how := ForCertificates{Date: 1.75e9, Reason: 4, Given: true, Issuer: ca}
	const want = "1234 2025-06-15T15:06:40Z superseded expires 2030-03-17T17:46:40Z\n"
	for name, in := range map[string]string{"PEM": text, "DER": string(below.Raw), "bag": "Bag Attributes\n" + text} {
		if form, got, err := read(in, how); err != nil || form != FormCertificate || got != want {
			t.Errorf("%s: %s %q %v", name, form, got, err)
		}
	}
	for name, c := range map[string]struct {
		change func(*ForCertificates)
		says   string
	}{
		"no reason":        {func(h *ForCertificates) { h.Given = false }, "--reason"},
		"another issuer":   {func(h *ForCertificates) { h.Issuer = stranger }, "was not issued by"},
		"a CA on hold":     {func(h *ForCertificates) { h.Reason = spec.CertificateHold }, "is a CA's"},
		"a CA, no reason":  {func(h *ForCertificates) { h.Reason = spec.Unspecified }, "is a CA's"},
		"a CA, not at all": {func(h *ForCertificates) { h.Reason = spec.RemoveFromCRL }, "is a CA's"},
	} {
		changed := how
		c.change(&changed)
		if _, _, err := read(text, changed); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("R\t301231000000Z\t260501100000Z,keyTime,20260401000000Z\t0B\tunknown\t/CN=b\n"))
	f.Add([]byte("serial,date,reason\n0a,2026-05-01T10:00:00Z,keyCompromise\n"))
	f.Add([]byte(stepLine))
	f.Add([]byte(`{"serial":"0aff","date":"2026-05-01T10:00:00Z","reason":"superseded"}`))
	f.Add([]byte("\\x7b7d"))
	f.Add([]byte("-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		// Whatever is read can be written, and says the same in our own form.
		_, err := Read(bytes.NewReader(text), ForCertificates{Given: true, Reason: 4}, func(r *Record) error {
			var b [recordSize]byte
			var again Record
			r.pack(&b)
			again.unpack(&b)
			if again != *r {
				t.Errorf("%v packs to %v", r, &again)
			}
			if r.Serial == (Serial{}) || r.Reason < 0 || r.Reason > 10 {
				t.Errorf("%v was read", r)
			}
			entry := r.entry()
			if r.Reason != spec.RemoveFromCRL && r.Date > -6e8 && r.Date < 2e11 && r.Invalidity == Unknown {
				if _, err := entry.Append(nil); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		_ = err // most texts are refused
	})
}
