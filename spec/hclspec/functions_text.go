package hclspec

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// encoding makes a function of one text.
func encoding(description string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

func toBase64(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }

func fromBase64(s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	switch {
	case err != nil:
		return "", errors.New("it is not base64")
	case !utf8.Valid(raw):
		return "", errors.New("it stands for bytes that are not UTF-8 text")
	}
	return string(raw), nil
}

func sha256Hex(s string) (string, error) {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:]), nil
}

func sha512Hex(s string) (string, error) {
	sum := sha512.Sum512([]byte(s))
	return hex.EncodeToString(sum[:]), nil
}

func urlEncode(s string) (string, error) { return url.QueryEscape(s), nil }

// textTest makes a function that holds one text against another.
func textTest(description, second string, f func(text, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func hasPrefix(text, part string) bool    { return strings.HasPrefix(text, part) }
func hasSuffix(text, part string) bool    { return strings.HasSuffix(text, part) }
func containsText(text, part string) bool { return strings.Contains(text, part) }

// allOf is alltrue, or anytrue when want is false.
func allOf(want bool) function.Function {
	description := "Whether one member at least is true."
	if want {
		description = "Whether every member is true; so is an empty list."
	}
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, member := range args[0].AsValueSlice() {
				if holds := !member.IsNull() && member.True(); holds != want {
					return cty.BoolVal(!want), nil
				}
			}
			return cty.BoolVal(want), nil
		},
	})
}

// lengthFunction counts members, or the characters of a text.
func lengthFunction() function.Function {
	return function.New(&function.Spec{
		Description: "How many members a collection has, or how many characters a text.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch t := args[0].Type(); {
			case t == cty.String:
				return stdlib.Strlen(args[0])
			case t.IsObjectType():
				return cty.NumberIntVal(int64(args[0].LengthInt())), nil
			}
			return stdlib.Length(args[0])
		},
	})
}

// limited asks how large the result of a function would be before it is
// called.
func limited(f function.Function, size func(args []cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(), VarParam: f.VarParam(),
		Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if n := size(args); n > maxText || n < 0 {
				return cty.DynamicVal, fmt.Errorf("the result would be larger than %d MiB", maxText>>20)
			}
			return f.Call(args)
		},
	})
}

// productSize counts the members of all members of a product.
func productSize(args []cty.Value) int {
	size := 1
	for _, arg := range args {
		if n := arg.LengthInt(); n > 0 {
			size *= n
		}
		if size > maxMembers {
			return maxText + 1
		}
	}
	return size * len(args)
}

// holdsHugeNumber reports a text that is such a number, or a list that has one.
func holdsHugeNumber(v cty.Value) bool {
	switch {
	case v.IsNull():
		return false
	case v.Type() == cty.String:
		return numeric.MatchString(v.AsString()) && hugeNumber(v.AsString())
	case v.CanIterateElements():
		return slices.ContainsFunc(v.AsValueSlice(), holdsHugeNumber)
	}
	return false
}

// textSize is the length of a text, and of all texts in a list together.
func textSize(v cty.Value) int {
	switch {
	case v.IsNull():
		return 0
	case v.Type() == cty.String:
		return len(v.AsString())
	case v.CanIterateElements():
		size := 0
		for it := v.ElementIterator(); it.Next(); {
			_, member := it.Element()
			size += textSize(member)
		}
		return size
	}
	return 0
}

func joinSize(args []cty.Value) int {
	size, members := 0, 0
	for _, list := range args[1:] {
		members += list.LengthInt()
		size += textSize(list)
	}
	return size + members*textSize(args[0])
}

// replaceSize takes every place for one that is replaced.
func replaceSize(args []cty.Value) int {
	text, by := textSize(args[0]), textSize(args[2])
	if part := textSize(args[1]); part > 0 && args[1].AsString() != "" && by > part {
		return text + (strings.Count(args[0].AsString(), args[1].AsString())+1)*by + maxWhenPattern(args[1].AsString(), text, by)
	}
	return text + by
}

// maxWhenPattern allows for a regular expression that matches everywhere.
func maxWhenPattern(pattern string, text, by int) int {
	if regexp.QuoteMeta(pattern) == pattern {
		return 0
	}
	return text * by
}

func indentSize(args []cty.Value) int {
	n, _ := args[0].AsBigFloat().Int64()
	if n > maxText || n < 0 {
		return maxText + 1
	}
	return textSize(args[1]) + strings.Count(args[1].AsString(), "\n")*int(n)
}

var (
	hugeWidth  = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)
	numberVerb = regexp.MustCompile(`%[^a-zA-Z%]*[bdoxXeEfFgG]`)
)

// formatSize refuses widths and precisions above 999, since the library would
// fill the memory with blanks; and texts that such a verb would make huge
// numbers of.
func formatSize(args []cty.Value) int {
	format := args[0].AsString()
	if hugeWidth.MatchString(format) {
		return maxText + 1
	}
	if numberVerb.MatchString(format) && slices.ContainsFunc(args[1:], holdsHugeNumber) {
		return maxText + 1
	}
	size := 0
	for _, arg := range args {
		size += textSize(arg)
	}
	return size
}
