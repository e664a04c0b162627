package plan

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// FuzzCanonize holds the quick way to the canonical form against the library's:
// what it does not leave to the library comes out the same.
func FuzzCanonize(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `[1,-2,0,"a",true,false,null,{}]`, `{"b":1,"a":{"d":[],"c":""},"aa":2,"B":3}`,
		`{"a":"<>&\u2028é\u007f \"\\\b\f\n\r\t\u0001\u001f"}`, `["\ufffd","𝄞"]`, `{"a":{"z":{"y":1,"x":2},"b":0},"":1}`,
		`[999999999999999]`, `{"a":1,"a":2}`, `[-0]`, `[1.5]`, `[1e3]`, `[1000000000000000000000]`, `{"é":1,"z":2}`, `["\ud834\udd1e"]`, `["\ud834"]`,
		`["\u000b"]`, `["\u0008"]`, `["\u001F"]`, `["\u0022\u005c\/"]`, `[01]`, `[1,]`, `{"a"}`, `["`, `["\u00`, `["` + "\x80" + `"]`, `[1]2`, `tru`, `[tru]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, done := canonize(text)
		if !done {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("canonize(%q) = %q, of what is no JSON", text, got)
		}
		want, err := jcs.Transform(text)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("canonize(%q) = %q, the library says %q, %v", text, got, want, err)
		}
	})
}

// TestCanonizeIsUsed needs the quick way to know what plans hold.
func TestCanonizeIsUsed(t *testing.T) {
	text, err := json.Marshal(map[string]any{"z": "<a & b> é\u2028\t\x01\xff", "a": []any{12, -1, 0, true, nil, map[string]any{"y": 1, "x": "", "xx": false}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, done := canonize(text); !done {
		t.Errorf("%s was left to the library", text)
	}
}

// TestCanonizeAnyValue encodes random values in both ways.
func TestCanonizeAnyValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawValue(t, 4)
		text, err := json.Marshal([]any{v})
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, done := canonize(text); done && !bytes.Equal(got, want) {
			t.Fatalf("canonize(%s) = %s, the library says %s", text, got, want)
		}
	})
}

// drawValue draws what encoding/json can write, so deep and no deeper.
func drawValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.String().Draw(t, "text")
	case 1:
		return rapid.Int64Range(-1<<53, 1<<53).Draw(t, "number")
	case 2:
		return rapid.Bool().Draw(t, "truth")
	case 3:
		return nil
	case 4:
		list := make([]any, rapid.IntRange(0, 5).Draw(t, "length"))
		for i := range list {
			list[i] = drawValue(t, depth-1)
		}
		return list
	}
	members := map[string]any{}
	for range rapid.IntRange(0, 6).Draw(t, "members") {
		members[rapid.StringMatching(`[ -~]{0,6}|\PC{0,3}`).Draw(t, "name")] = drawValue(t, depth-1)
	}
	return &outOfOrder{members}
}

// outOfOrder writes its members in the order of a map, which is none.
type outOfOrder struct{ members map[string]any }

func (o *outOfOrder) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for name, v := range o.members {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(key, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
