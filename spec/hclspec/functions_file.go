package hclspec

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileFunctions read below the estate's folder, and nothing else; the plan
// records the SHA-256 of every file that was read.
func (l *loader) fileFunctions() map[string]function.Function {
	return map[string]function.Function{
		"basename":     pathPart("The last part of a path.", path.Base),
		"dirname":      pathPart("A path without its last part.", path.Dir),
		"fileexists":   l.existsFunction(),
		"fileset":      l.setFunction(),
		"file":         l.reader("The text of a file below the estate's folder.", textOfFile),
		"filebase64":   l.reader("A file below the estate's folder, in base64.", base64OfFile),
		"filesha256":   l.reader("The SHA-256 of a file below the estate's folder, in lower-case hex.", sha256OfFile),
		"templatefile": l.templateFunction(),
	}
}

func (l *loader) reader(description string, f func([]byte) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			text, err := l.read(name)
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%q: %s", name, plainError(err))
			}
			result, err := f(text)
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "%q: %s", name, err)
			}
			return cty.StringVal(result), nil
		},
	})
}

func pathPart(description string, f func(string) string) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(f(args[0].AsString())), nil
		},
	})
}

// existsFunction asks for a file. One that is there is read, so that the plan
// records it.
func (l *loader) existsFunction() function.Function {
	return function.New(&function.Spec{
		Description: "Whether there is a file of that name below the estate's folder.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := path.Clean(args[0].AsString())
			_, err := l.read(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return cty.UnknownVal(cty.Bool), function.NewArgErrorf(0, "%q: %s", shorten(name), plainError(err))
			}
			return cty.BoolVal(err == nil), nil
		},
	})
}

// maxFiles bounds what one fileset finds.
const maxFiles = 10_000

// setFunction finds files by a pattern. All of them are read, so that the plan
// records them and a bundle carries them.
func (l *loader) setFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The names of the files in a folder that fit a pattern such as \"*.csr\", as a set.",
		Params:      []function.Parameter{{Name: "folder", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			folder, pattern := path.Clean(args[0].AsString()), args[1].AsString()
			if !fs.ValidPath(folder) {
				return cty.DynamicVal, function.NewArgErrorf(0, "%q is not a plain path below the estate's folder", shorten(folder))
			}
			if _, err := path.Match(pattern, ""); err != nil || strings.Contains(pattern, "**") || strings.Contains(pattern, "..") {
				return cty.DynamicVal, function.NewArgErrorf(1, "%q is not a pattern such as *.csr", shorten(pattern))
			}
			below, err := fs.Sub(l.fsys, folder)
			if err != nil {
				return cty.DynamicVal, function.NewArgErrorf(0, "%q: %s", shorten(folder), plainError(err))
			}
			found, err := fs.Glob(below, pattern)
			if err != nil || len(found) > maxFiles {
				return cty.DynamicVal, function.NewArgErrorf(1, "more than %d files fit it", maxFiles)
			}
			return l.recordAll(folder, found)
		},
	})
}

func (l *loader) recordAll(folder string, names []string) (cty.Value, error) {
	files := []cty.Value{}
	for _, name := range names {
		whole := path.Join(folder, name)
		if info, err := fs.Stat(l.fsys, whole); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if _, err := l.read(whole); err != nil {
			return cty.DynamicVal, function.NewArgErrorf(0, "%q: %s", shorten(whole), plainError(err))
		}
		files = append(files, cty.StringVal(name))
	}
	if len(files) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(files), nil
}

func textOfFile(text []byte) (string, error) {
	if !utf8.Valid(text) {
		return "", errors.New("not UTF-8 text")
	}
	return string(text), nil
}

func base64OfFile(raw []byte) (string, error) { return base64.StdEncoding.EncodeToString(raw), nil }

func sha256OfFile(raw []byte) (string, error) {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// templateFunction fills a file with values. The file sees what it is given
// and every function but this one.
func (l *loader) templateFunction() function.Function {
	return function.New(&function.Spec{
		Description: "The text of a file below the estate's folder, with its templates filled from an object.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}, {Name: "values", Type: cty.DynamicPseudoType}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := l.fillTemplateFile(args[0].AsString(), args[1])
			return cty.StringVal(text), err
		},
	})
}

func (l *loader) fillTemplateFile(name string, values cty.Value) (string, error) {
	if values.IsNull() || !values.Type().IsObjectType() && !values.Type().IsMapType() {
		return "", function.NewArgErrorf(1, "an object of values is required, such as { name = \"x\" }")
	}
	text, err := l.read(name)
	if err == nil && !utf8.Valid(text) {
		err = errors.New("not UTF-8 text")
	}
	if err != nil {
		return "", function.NewArgErrorf(0, "%q: %s", name, plainError(err))
	}
	tokens, _ := hclsyntax.LexTemplate(text, name, hcl.InitialPos)
	nest := newNesting()
	for i := range tokens {
		if nest.token(tokens[i:]) {
			return "", function.NewArgErrorf(0, "%q nests too deep in line %d", name, tokens[i].Range.Start.Line)
		}
	}
	expr, diags := hclsyntax.ParseTemplate(text, name, hcl.InitialPos)
	if diags.HasErrors() {
		return "", function.NewArgErrorf(0, "%s", inTemplate(diags))
	}
	l.guard(expr)
	functions := map[string]function.Function{}
	for word, f := range l.functions() {
		if word != "templatefile" {
			functions[word] = f
		}
	}
	value, diags := expr.Value(&hcl.EvalContext{Variables: values.AsValueMap(), Functions: functions})
	switch {
	case diags.HasErrors():
		return "", function.NewArgErrorf(0, "%s", inTemplate(diags))
	case value.IsNull() || !value.IsKnown() || value.Type() != cty.String:
		return "", function.NewArgErrorf(0, "%q comes to no text", name)
	}
	return value.AsString(), nil
}

// inTemplate says where in a template file something is wrong.
func inTemplate(diags hcl.Diagnostics) string {
	for _, one := range diags {
		if one.Severity == hcl.DiagError && one.Subject != nil {
			return fmt.Sprintf("in %s line %d, %s", one.Subject.Filename, one.Subject.Start.Line, one.Detail)
		}
	}
	return diags.Error()
}
