package plan

import (
	"strings"
	"testing"
	"time"
)

func TestIndexOfOpenSSL(t *testing.T) {
	text := "V\t311202000000Z\t\t1001\tunknown\t/O=Old/CN=Old Root\n" +
		"R\t20491231235959Z\t261124005914Z,superseded\t0A\tunknown\t/CN=x\r\n" +
		"E\t500101000000Z\t\tff\tfile\t/CN=y\n\n# moved by hand\n" +
		"R\t311202000000Z\t261124005914Z,keyTime,20261120000000Z\t100\tunknown\t/CN=z\n" +
		"V\t311202000000Z\t\t00\tunknown\t/CN=old root\n"
	all, err := readIndex([]byte(text))
	if err != nil || len(all) != 5 {
		t.Fatalf("%d rows: %v", len(all), err)
	}
	if all[0].Serial != "1001" || all[0].Revoked != nil || all[1].Serial != "0a" || all[1].Reason != 4 || all[3].Reason != 1 || all[3].Serial != "0100" || all[4].Serial != "00" {
		t.Errorf("%+v", all)
	}
	if want := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC); !all[2].NotAfter.Equal(want) {
		t.Errorf("two digits of a year: %s, want %s (RFC 5280 §4.1.2.5.1)", all[2].NotAfter, want)
	}
	for _, bad := range []string{
		"V\t311202000000Z\t\t1001\tunknown", "X\t311202000000Z\t\t1001\tunknown\t/CN=x", "V\tsoon\t\t1001\tunknown\t/CN=x",
		"V\t311202000000Z\t\t10G1\tunknown\t/CN=x", "V\t311202000000Z\t\t-05\tunknown\t/CN=x", "R\t311202000000Z\t261124005914Z\t00\tunknown\t/CN=x", "R\t311202000000Z\t\t1001\tunknown\t/CN=x", "R\t311202000000Z\t261124005914Z,because\t01\tunknown\t/CN=x",
		"V\t311202000000Z\t\t" + strings.Repeat("1", 65) + "\tunknown\t/CN=x", "\x00",
	} {
		if _, err := readIndex([]byte("V\t311202000000Z\t\t01\tunknown\t/CN=a\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReadIndex(f *testing.F) {
	f.Add([]byte("V\t311202000000Z\t\t1001\tunknown\t/CN=x\nR\t311202000000Z\t261124005914Z,superseded\t0A\tunknown\t/CN=x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := readIndex(text)
		if err != nil {
			return
		}
		for _, one := range all {
			if one.Serial == "" || one.NotAfter.Location() != time.UTC {
				t.Errorf("%+v", one)
			}
		}
	})
}
