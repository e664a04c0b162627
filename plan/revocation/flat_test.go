package revocation

import (
	"fmt"
	"testing"
)

// slow reads a line as the reader does that knows all of JSON.
func slow(line []byte) (Record, error) {
	members, err := jsonMembers(line)
	if err != nil {
		return Record{}, err
	}
	if _, foreign := members["Serial"]; foreign {
		return stepRecord(members)
	}
	return ownRecord(members)
}

// agrees fails when the plain reader takes a line that the other one refuses, or
// reads something else in it.
func agrees(t *testing.T, line []byte) (plain bool) {
	t.Helper()
	var f flat
	var got Record
	if !f.record(line, &got) {
		return false
	}
	if want, err := slow(line); err != nil || got != want {
		t.Errorf("%s is %+v, want %+v, %v", line, got, want, err)
	}
	return true
}

// TestPlainLines holds the reader of plain lines against the one that knows all
// of JSON. It takes the first lines, which are most of real input, and leaves
// the others.
func TestPlainLines(t *testing.T) {
	const step = `{"Serial":%s,"ProvisionerID":"admin","ReasonCode":%s,"Reason":"","RevokedAt":%s,"ExpiresAt":%s,"TokenID":"","MTLS":true,"ACME":false}`
	day := `"2026-06-01T10:00:00Z"`
	for line, plain := range map[string]bool{
		fmt.Sprintf(step, `"255"`, "4", day, day): true,
		fmt.Sprintf(step, `"340282366920938463463374607431768211455"`, "0", `"2026-06-01T10:00:00.123456789Z"`, day): true,
		fmt.Sprintf(step, `"999999999999999999999999999999999999999999999999"`, "10", day, day):                      true,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z","reason":"superseded"}`:                                        true,
		`{ "serial" : "0A0b" , "date" : "2026-06-01T10:00:00Z" , "expires" : "2030-06-01T10:00:00Z" }`:               true,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z","reason":"keyCompromise","invalidity":"1970-01-01T00:00:00Z"}`: true,

		fmt.Sprintf(step, `"9999999999999999999999999999999999999999999999999"`, "1", day, day): false,
		fmt.Sprintf(step, `"0"`, "1", day, day):                                                 false,
		fmt.Sprintf(step, `255`, "1", day, day):                                                 false,
		fmt.Sprintf(step, `"255"`, "7", day, day):                                               false,
		fmt.Sprintf(step, `"255"`, "01", day, day):                                              false,
		fmt.Sprintf(step, `"255"`, `"1"`, day, day):                                             false,
		fmt.Sprintf(step, `"255"`, "1", `"0001-01-01T00:00:00Z"`, day):                          false,
		fmt.Sprintf(step, `"255"`, "1", day, `"0001-01-01T00:00:00Z"`):                          false,
		fmt.Sprintf(step, `"255"`, "1", "null", day):                                            false,
		fmt.Sprintf(step, `"255"`, "1", `"2026-06-01T10:00:00+02:00"`, day):                     false,
		fmt.Sprintf(step, `"255"`, "1", `"2026-02-30T10:00:00Z"`, day):                          false,
		`{"Serial":"255","Serial":"254","RevokedAt":"2026-06-01T10:00:00Z"}`:                    false,
		`{"Serial":"255"}`: false,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z","colour":"red"}`:     false,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z"} {}`:                 false,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z",}`:                   false,
		`{"serial":"0x0a","date":"2026-06-01T10:00:00Z"}`:                  false,
		`{"serial":"0a","date":"2026-06-01"}`:                              false,
		`{"serial":"\u0030a","date":"2026-06-01T10:00:00Z"}`:               false,
		`{"serial":"0a","date":"2026-06-01T10:00:00Z","reason":{"a":[1]}}`: false,
		`{}`: false, `{`: false, ``: false, `{"serial"`: false, `{"serial":`: false, `{"serial":"`: false,
	} {
		if got := agrees(t, []byte(line)); got != plain {
			t.Errorf("%s: the plain reader takes it: %t", line, got)
		}
	}
}

func FuzzPlainLines(f *testing.F) {
	f.Add([]byte(`{"Serial":"255","ReasonCode":4,"RevokedAt":"2026-06-01T10:00:00.5Z","ExpiresAt":"2030-06-01T10:00:00Z","MTLS":true}`))
	f.Add([]byte(`{"serial":"0a","date":"2026-06-01T10:00:00Z","reason":"superseded","expires":"2030-06-01T10:00:00Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) { agrees(t, line) })
}

// TestPlainLinesMakeNoGarbage: what is left of a line is what the record holds.
func TestPlainLinesMakeNoGarbage(t *testing.T) {
	line := []byte(`{"Serial":"340282366920938463463374607431768211455","ReasonCode":4,"RevokedAt":"2026-06-01T10:00:00Z","ExpiresAt":"2030-06-01T10:00:00Z","MTLS":true}`)
	own := []byte(`{"serial":"0a0b","date":"2026-06-01T10:00:00Z","reason":"superseded"}`)
	var f flat
	var r Record
	if n := testing.AllocsPerRun(100, func() {
		if !f.record(line, &r) || !f.record(own, &r) {
			t.Fatal("it is not plain")
		}
	}); n > 0 {
		t.Errorf("%v allocations for two lines", n)
	}
}
