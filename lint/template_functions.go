package lint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// notTried is the functions of step-ca's templates that are not carried out
// here: they draw random numbers, change their arguments, or matter little.
const notTried = `hello ago htmlDate htmlDateInZone mustToDate toDate unixEpoch duration durationRound abbrev abbrevboth trunc untitle substr
	initials randAlphaNum randAlpha randAscii randNumeric swapcase shuffle snakecase camelcase kebabcase wrap wrapWith cat indent nindent plural
	sha1sum sha512sum adler32sum seq toDecimal splitn toStrings untilStep add1 div mod randInt add1f addf subf divf mulf biggest maxf minf ceil
	floor round sortAlpha all any compact mustCompact deepCopy mustDeepCopy typeIsLike kindOf kindIs deepEqual getHostByName base dir clean ext
	isAbs osBase osClean osDir osExt osIsAbs b32enc b32dec set unset pluck pick omit merge mergeOverwrite mustMerge mustMergeOverwrite values
	reverse mustReverse uniq mustUniq slice mustSlice dig chunk mustChunk bcrypt htpasswd genPrivateKey derivePassword
	buildCustomCert genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES decryptAES
	randBytes uuidv4 semver semverCompare regexFindAll mustRegexFindAll regexFind mustRegexFind regexReplaceAll mustRegexReplaceAll
	regexReplaceAllLiteral mustRegexReplaceAllLiteral regexSplit mustRegexSplit regexQuoteMeta urlParse urlJoin date_in_zone dateInZone
	must_date_modify mustDateModify toTimeLayout mustParseTime parseTime asn1Enc asn1Marshal asn1Seq asn1Set fail split without mustWithout
	max min title nospace trimall until`

// templateFunctions is what templates may call: those of step-ca, bounded, so
// that no template can make a value that is large.
func templateFunctions(now time.Time, m *meter) template.FuncMap {
	functions := template.FuncMap{}
	for _, name := range strings.Fields(notTried) {
		functions[name] = func(...any) (any, error) { return nil, errNotHere }
	}
	own := map[string]any{
		"tick":  m.tick,
		"print": func(args ...any) (string, error) { return small(fmt.Sprint(args...), args...) },
		"printf": func(format string, args ...any) (string, error) {
			if err := weighed(args); err != nil {
				return "", err
			}
			return small(fmt.Sprintf(format, args...))
		},
		"println": func(args ...any) (string, error) { return small(fmt.Sprintln(args...), args...) },
		"html":    func(args ...any) (string, error) { return small(template.HTMLEscaper(args...), args...) },
		"js":      func(args ...any) (string, error) { return small(template.JSEscaper(args...), args...) },

		"toJson": toJSON, "mustToJson": toJSON, "toRawJson": toJSON, "mustToRawJson": toJSON, "toPrettyJson": toJSON, "mustToPrettyJson": toJSON,
		"fromJson": fromJSON, "mustFromJson": fromJSON,
	}
	for _, more := range []map[string]any{own, valueFunctions(), textFunctions(now)} {
		for name, f := range more {
			functions[name] = f
		}
	}
	return functions
}

// valueFunctions are those about values of any kind, lists and dictionaries.
func valueFunctions() map[string]any {
	return map[string]any{
		"default": func(fallback any, given ...any) any {
			if len(given) == 0 || empty(given[0]) {
				return fallback
			}
			return given[0]
		},
		"empty": empty,
		"coalesce": func(values ...any) any {
			for _, v := range values {
				if !empty(v) {
					return v
				}
			}
			return nil
		},
		"ternary": func(yes, no any, condition bool) any {
			if condition {
				return yes
			}
			return no
		},
		"list": listOf, "tuple": listOf,
		"dict": func(pairs ...any) (map[string]any, error) {
			d := map[string]any{}
			for i := 0; i+1 < len(pairs); i += 2 {
				d[fmt.Sprint(pairs[i])] = pairs[i+1]
			}
			return d, weighed([]any{d})
		},
		"get":    func(d map[string]any, key string) any { return d[key] },
		"hasKey": func(d map[string]any, key string) bool { _, ok := d[key]; return ok },
		"keys": func(d map[string]any) []string {
			var keys []string
			for k := range d {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			return keys
		},
		"append": appendTo, "mustAppend": appendTo, "concat": concat,
		"prepend": prepend, "mustPrepend": prepend,
		"first": first, "mustFirst": first, "last": last, "mustLast": last,
		"rest":     func(l any) []any { return tail(elements(l)) },
		"mustRest": func(l any) []any { return tail(elements(l)) },
		"initial":  initial, "mustInitial": initial,
		"has": has2, "mustHas": has2,
		"join": func(separator string, l any) (string, error) {
			var parts []string
			for _, e := range elements(l) {
				parts = append(parts, fmt.Sprint(e))
			}
			return small(strings.Join(parts, separator), l)
		},
		"splitList": func(separator, s string) []string { return strings.Split(s, separator) },
	}
}

// textFunctions are those about texts, numbers, types and dates.
func textFunctions(now time.Time) map[string]any {
	return map[string]any{
		"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace,
		"trimAll":    func(cut, s string) string { return strings.Trim(s, cut) },
		"trimSuffix": func(end, s string) string { return strings.TrimSuffix(s, end) },
		"trimPrefix": func(start, s string) string { return strings.TrimPrefix(s, start) },
		"contains":   func(part, s string) bool { return strings.Contains(s, part) },
		"hasPrefix":  func(start, s string) bool { return strings.HasPrefix(s, start) },
		"hasSuffix":  func(end, s string) bool { return strings.HasSuffix(s, end) },
		"replace": func(from, to, s string) (string, error) {
			if strings.Count(s, from)*len(to) > maxRendered {
				return "", errTooLong
			}
			return strings.ReplaceAll(s, from, to), nil
		},
		"repeat": func(n int, s string) (string, error) {
			if n < 0 || n > maxRendered || n*len(s) > maxRendered {
				return "", errTooLong
			}
			return strings.Repeat(s, n), nil
		},
		"quote":      func(args ...any) (string, error) { return quoted("%q", args) },
		"squote":     func(args ...any) (string, error) { return quoted("'%s'", args) },
		"toString":   func(v any) (string, error) { return small(fmt.Sprint(v), v) },
		"regexMatch": regexMatch, "mustRegexMatch": regexMatch,
		"b64enc":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"b64dec":    func(s string) string { b, _ := base64.StdEncoding.DecodeString(s); return string(b) },
		"sha256sum": func(string) string { return strings.Repeat("0", 64) },

		"int": number, "int64": number, "atoi": number,
		"float64": func(v any) float64 { f, _ := strconv.ParseFloat(fmt.Sprint(v), 64); return f },
		"add":     func(a, b any) int { return number(a) + number(b) },
		"sub":     func(a, b any) int { return number(a) - number(b) },
		"mul":     func(a, b any) int { return number(a) * number(b) },

		"typeOf": typeName, "typeIs": func(name string, v any) bool { return typeName(v) == name },

		"now":        func() time.Time { return now },
		"toTime":     func(...any) time.Time { return now },
		"formatTime": func(v any) string { return moment(v, now).Format(time.RFC3339) },
		"date":       func(layout string, v any) string { return moment(v, now).Format(layout) },
		"dateModify": func(d string, v any) time.Time { return modify(d, moment(v, now)) },
		"date_modify": func(d string, v any) time.Time {
			return modify(d, moment(v, now))
		},
	}
}

// maxWeight bounds how many parts a value may have, those that it shares
// counted each time.
const maxWeight = 10_000

// weighed says whether values are too large to go on with.
func weighed(values []any) error {
	left := maxWeight
	for _, v := range values {
		weigh(reflect.ValueOf(v), &left)
	}
	if left < 0 {
		return errTooLong
	}
	return nil
}

func weigh(v reflect.Value, left *int) {
	if *left--; *left < 0 || !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		weigh(v.Elem(), left)
	case reflect.String:
		*left -= v.Len() / 100
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && *left >= 0; i++ {
			weigh(v.Index(i), left)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			weigh(v.MapIndex(key), left)
		}
	}
}

// small gives a text back that is not too long. The values that it was made
// from have been weighed when they were made.
func small(s string, _ ...any) (string, error) {
	if len(s) > maxRendered {
		return "", errTooLong
	}
	return s, nil
}

func toJSON(v any) (string, error) {
	if err := weighed([]any{v}); err != nil {
		return "", err
	}
	if key, is := v.(sampleKey); is {
		return strconv.Quote(string(key)), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	err := encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func fromJSON(s string) (any, error) {
	var v any
	err := json.Unmarshal([]byte(s), &v)
	return v, err
}

// empty says whether a value counts as nothing.
func empty(v any) bool {
	truth, _ := template.IsTrue(v)
	return v == nil || !truth
}

func listOf(values ...any) ([]any, error) { return values, weighed(values) }

// elements is a list's elements; nothing for any other value.
func elements(l any) []any {
	v := reflect.ValueOf(l)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return nil
	}
	var all []any
	for i := range v.Len() {
		all = append(all, v.Index(i).Interface())
	}
	return all
}

func appendTo(l, v any) ([]any, error) { return listOf(append(elements(l), v)...) }

func prepend(l, v any) ([]any, error) { return listOf(append([]any{v}, elements(l)...)...) }

func concat(lists ...any) ([]any, error) {
	var all []any
	for _, l := range lists {
		all = append(all, elements(l)...)
	}
	return listOf(all...)
}

func first(l any) any {
	if all := elements(l); len(all) > 0 {
		return all[0]
	}
	return nil
}

func last(l any) any {
	if all := elements(l); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

func tail(all []any) []any { return all[min(1, len(all)):] }

func initial(l any) []any { all := elements(l); return all[:max(0, len(all)-1)] }

func has2(needle, l any) bool {
	return slices.ContainsFunc(elements(l), func(e any) bool { return reflect.DeepEqual(e, needle) })
}

func quoted(format string, args []any) (string, error) {
	var parts []string
	for _, a := range args {
		if a != nil {
			parts = append(parts, fmt.Sprintf(format, fmt.Sprint(a)))
		}
	}
	return small(strings.Join(parts, " "))
}

func regexMatch(pattern, s string) (bool, error) {
	r, err := regexp.Compile(pattern)
	if err != nil {
		return false, err
	}
	return r.MatchString(s), nil
}

// number is a value as a number that nobody can count to for long.
func number(v any) int {
	f, _ := strconv.ParseFloat(fmt.Sprint(v), 64)
	return int(max(-1e12, min(1e12, f)))
}

// typeName is the type as step-ca's templates see it.
func typeName(v any) string {
	if key, is := v.(sampleKey); is {
		return string(key)
	}
	return fmt.Sprintf("%T", v)
}

func moment(v any, now time.Time) time.Time {
	if t, is := v.(time.Time); is {
		return t
	}
	return now
}

func modify(text string, t time.Time) time.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		return t
	}
	return t.Add(d)
}
