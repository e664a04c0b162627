package hclspec

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
)

// shape is what decoding wants to know of a raw struct.
type shape struct {
	fields []field
	schema *hcl.BodySchema
	origin int // index of the embedded spec.Origin

	repeated *hcl.BodySchema // with for_each before the other arguments
}

// shapes remembers the shape of every raw struct that was met.
type shapes map[reflect.Type]*shape

func (s shapes) of(t reflect.Type) *shape {
	if s[t] == nil {
		made := &shape{fields: fieldsOf(t), schema: bodySchema(t)}
		for i := range t.NumField() {
			if t.Field(i).Anonymous {
				made.origin = i
			}
		}
		made.repeated = &hcl.BodySchema{
			Attributes: append([]hcl.AttributeSchema{{Name: forEachWord}}, made.schema.Attributes...),
			Blocks:     made.schema.Blocks,
		}
		s[t] = made
	}
	return s[t]
}

// named gives the field of an argument or nested block.
func (s *shape) named(name string) (field, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}
