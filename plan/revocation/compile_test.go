package revocation

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pki.internal/lint/crlwalk"
	"pki.internal/spec"
)

// compiled runs Compile on records and a list before.
func compiled(t *testing.T, records []Record, before []Record, rules Rules) (Summary, []string, error) {
	t.Helper()
	s := NewSorter(&memory{})
	for i := range records {
		if err := s.Add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	var previous *Previous
	if before != nil {
		previous = &Previous{ThisUpdate: 1000, Entries: len(before), Each: func(visit func(*Record) error) error {
			for i := range before {
				if err := visit(&before[i]); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	var out bytes.Buffer
	sum, err := Compile(m, previous, rules, &out)
	if err == nil && sum.Size != int64(out.Len()) {
		t.Errorf("size is %d, %d octets were written", sum.Size, out.Len())
	}
	var serials []string
	for rest := out.Bytes(); len(rest) > 0; {
		entry := rest[:2+int(rest[1])]
		rest = rest[len(entry):]
		serials = append(serials, string("0123456789abcdef"[entry[4]&15]))
	}
	return sum, serials, err
}

func entryOf(serial byte, date int64, reason spec.Reason, expires int64) Record {
	r := Record{Date: date, Reason: reason, Expires: expires, Invalidity: Unknown}
	r.Serial[serialSize-1] = serial
	return r
}

func TestGate(t *testing.T) {
	const now = 2000 // the list before is of 1000
	for name, c := range map[string]struct {
		records, before []Record
		onlyCA          bool
		on              string // serials on the list
		rules           []string
		refused         string
	}{
		"first, empty":            {nil, nil, false, "", nil, ""},
		"first":                   {[]Record{entryOf(2, 5, 0, Unknown), entryOf(1, 5, 0, Unknown)}, nil, false, "12", nil, ""},
		"carried, added":          {[]Record{entryOf(1, 5, 4, Unknown), entryOf(2, 5, 4, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "12", nil, ""},
		"still empty":             {nil, []Record{}, false, "", nil, ""},
		"vanished":                {[]Record{entryOf(2, 5, 4, Unknown)}, []Record{entryOf(1, 5, 4, Unknown), entryOf(2, 5, 4, Unknown)}, false, "2", []string{RuleVanished}, ""},
		"vanished at the end":     {[]Record{entryOf(1, 5, 4, Unknown)}, []Record{entryOf(1, 5, 4, Unknown), entryOf(2, 5, 4, Unknown)}, false, "1", []string{RuleVanished}, ""},
		"suddenly empty":          {nil, []Record{entryOf(1, 5, 4, Unknown)}, false, "", []string{RuleEmpty, RuleVanished}, ""},
		"hold lifted":             {nil, []Record{entryOf(1, 5, 6, Unknown)}, false, "", nil, ""},
		"hold made final":         {[]Record{entryOf(1, 9, 1, Unknown)}, []Record{entryOf(1, 5, 6, Unknown)}, false, "1", nil, ""},
		"hold made final, 0":      {[]Record{entryOf(1, 9, 0, Unknown)}, []Record{entryOf(1, 5, 6, Unknown)}, false, "1", nil, ""},
		"put on hold again":       {[]Record{entryOf(1, 5, 6, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", []string{RuleWeakened}, ""},
		"reason taken back":       {[]Record{entryOf(1, 5, 0, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", []string{RuleWeakened}, ""},
		"compromise taken back":   {[]Record{entryOf(1, 5, 4, Unknown)}, []Record{entryOf(1, 5, 1, Unknown)}, false, "1", []string{RuleWeakened}, ""},
		"compromise found":        {[]Record{entryOf(1, 5, 1, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", nil, ""},
		"date later":              {[]Record{entryOf(1, 6, 4, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", []string{RuleLater}, ""},
		"date earlier":            {[]Record{entryOf(1, 4, 4, Unknown)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", nil, ""},
		"expired since":           {[]Record{entryOf(1, 5, 4, 1500)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", nil, ""},
		"expired on the day":      {[]Record{entryOf(1, 5, 4, 1000)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "1", nil, ""},
		"expired, was on a list":  {[]Record{entryOf(1, 5, 4, 999)}, []Record{entryOf(1, 5, 4, Unknown)}, false, "", nil, ""},
		"expired, has left":       {[]Record{entryOf(1, 5, 4, 900)}, []Record{}, false, "", nil, ""},
		"expired, revoked since":  {[]Record{entryOf(1, 1500, 4, 900)}, []Record{}, false, "1", nil, ""},
		"expired, first list":     {[]Record{entryOf(1, 5, 4, 900)}, nil, false, "1", nil, ""},
		"revoked now":             {[]Record{entryOf(1, now, 4, Unknown)}, nil, false, "1", nil, ""},
		"revoked tomorrow":        {[]Record{entryOf(1, now+1, 4, Unknown)}, nil, false, "", nil, "only after this list"},
		"a CA on hold":            {[]Record{entryOf(1, 5, 6, Unknown)}, nil, true, "", nil, "certificate_hold"},
		"a CA without reason":     {[]Record{entryOf(1, 5, 0, Unknown)}, nil, true, "", nil, "unspecified"},
		"a CA":                    {[]Record{entryOf(1, 5, 2, Unknown)}, nil, true, "1", nil, ""},
		"removed":                 {[]Record{entryOf(1, 5, 8, Unknown)}, nil, false, "", nil, "delta"},
		"a faulty one in between": {[]Record{entryOf(1, 5, 4, Unknown), entryOf(2, now+1, 4, Unknown), entryOf(3, 5, 4, Unknown)}, nil, false, "", nil, "1 of the revocations"},
	} {
		t.Run(name, func(t *testing.T) {
			sum, serials, err := compiled(t, c.records, c.before, Rules{ThisUpdate: now, OnlyCA: c.onlyCA})
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%v, want %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if on := strings.Join(serials, ""); on != c.on || sum.Entries != len(c.on) {
				t.Errorf("on the list are %q (%d), want %q", on, sum.Entries, c.on)
			}
			var rules []string
			for _, o := range sum.Objections {
				rules = append(rules, o.Rule)
			}
			if !slices.Equal(rules, c.rules) {
				t.Errorf("objections are %v, want %v", sum.Objections, c.rules)
			}
		})
	}
}

func TestSuccession(t *testing.T) {
	before := &crlwalk.List{ThisUpdate: time.Unix(1000, 0), NextUpdate: time.Unix(5000, 0)}
	good := Head{ThisUpdate: time.Unix(2000, 0), NextUpdate: time.Unix(6000, 0)}
	for name, c := range map[string]struct {
		change func(*Head)
		signed error
		want   []string
	}{
		"good":           {func(*Head) {}, nil, nil},
		"same moment":    {func(h *Head) { h.ThisUpdate = before.ThisUpdate }, nil, []string{RuleDates}},
		"ends earlier":   {func(h *Head) { h.NextUpdate = time.Unix(4999, 0) }, nil, []string{RuleDates}},
		"another scope":  {func(h *Head) { h.Scope = []byte{0x30, 0} }, nil, []string{RuleScope}},
		"another issuer": {func(*Head) {}, crlwalk.ErrSignature, []string{RuleIssuer}},
	} {
		next := good
		c.change(&next)
		var rules []string
		for _, o := range Succession(next, before, c.signed) {
			rules = append(rules, o.Rule)
		}
		if !slices.Equal(rules, c.want) {
			t.Errorf("%s: %v, want %v", name, rules, c.want)
		}
	}
}
