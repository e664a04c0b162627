package revocation

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadIssued(t *testing.T) {
	for name, c := range map[string]struct{ text, want, refused string }{
		"index":            {"V\t361231000000Z\t\t0C\tunknown\t/CN=c\nR\t361231000000Z\t270105080000Z\t0B\tunknown\t/CN=b\n", "0c 0b", ""},
		"index, cut":       {"V\t361231000000Z\t\t0C\tunknown\t/CN=c\nV\t361231000000Z\t\t0C", "", "6 fields"},
		"plain":            {"0a\n0x0B\n", "0a 0b", ""},
		"heading":          {"shard,serial\n1,0a\n2,00:0b\n", "0a/1 0b/2", ""},
		"column not there": {"shard,serial\n1\n", "", "no column 2"},
		"words":            {"0a\nhello\n", "", "line 2"},
		"JSON":             {"{\"serial\":\"0a\"}\n{\"serial\":\"0b\",\"shard\":3}\n", "0a 0b/3", ""},
		"JSON, odd shard":  {"{\"serial\":\"0b\",\"shard\":-3}\n", "", "from 0 to"},
		"odd shard":        {"shard,serial\nx,0a\n", "", "invalid syntax"},
		"shard below 0":    {"shard,serial\n-2,0a\n", "", "from 0 to"},
		"JSON, none":       {"{\"number\":\"0a\"}\n", "", "not hexadecimal"},
		"too long":         {strings.Repeat("ab", 21) + "\n", "", "20 octets"},
		"empty":            {"", "", ""},
	} {
		var have []string
		err := ReadIssued(strings.NewReader(c.text), func(s Serial, shard int) error {
			text := s.String()
			if shard != NoShard {
				text += fmt.Sprintf("/%d", shard)
			}
			have = append(have, text)
			return nil
		})
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: %v, want %q", name, err, c.refused)
			}
			continue
		}
		if err != nil || strings.Join(have, " ") != c.want {
			t.Errorf("%s: %v, %v, want %q", name, have, err, c.want)
		}
	}
}

// TestKnown asks for serial numbers that were issued and that were not.
func TestKnown(t *testing.T) {
	s := NewSorter(&memory{})
	for _, n := range []byte{9, 2, 5, 2} {
		r := Record{Expires: Unknown, Invalidity: Unknown}
		r.Serial[serialSize-1] = n
		if err := s.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Sorted()
	if err != nil {
		t.Fatal(err)
	}
	k := NewKnown(m)
	for n := range byte(12) {
		var serial Serial
		serial[serialSize-1] = n
		has, err := k.Has(serial)
		if err != nil || has != (n == 2 || n == 5 || n == 9) {
			t.Errorf("%d: %v, %v", n, has, err)
		}
	}
}

func FuzzReadIssued(f *testing.F) {
	f.Add([]byte("V\t361231000000Z\t\t0C\tunknown\t/CN=c\n"))
	f.Add([]byte("serial,shard\n0a,1\n"))
	f.Add([]byte("{\"serial\":\"0a\"}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := ReadIssued(strings.NewReader(string(text)), func(s Serial, shard int) error {
			if shard < NoShard {
				t.Error("a shard below 0")
			}
			if len(s.Octets()) == 0 {
				t.Error("a serial number of zero")
			}
			return nil
		}); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
