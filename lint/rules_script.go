package lint

import (
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// mixedScripts is what both rules about look-alike letters cite.
const mixedScripts = "Unicode TS 39, Mixed-Script Detection; Unicode TR 36, Internationalized Domain Names; RFC 5891 §4.4"

// scriptRules are about letters that look like others.
func scriptRules() []Rule {
	return []Rule{{
		ID: "w_ca_name_mixed_script", Severity: Warn, Object: ObjectCertificate,
		Title:     "a word is written in one alphabet",
		Harm:      "a Cyrillic а in the middle of a Latin name: people read one company, and programs another",
		Citation:  mixedScripts,
		Effective: rfc5280,
		Advice:    "type the name anew; if it is meant, keep letters of two alphabets in words of their own",
		applies:   always,
		check:     func(o *object) []string { return lookAlikes(o.cert.Subject, o.cert.DNSNames) },
	}, {
		ID: "w_csr_name_mixed_script", Severity: Warn, Object: ObjectCSR,
		Title:     "a word in a request is written in one alphabet",
		Harm:      "whoever asks for a name that looks like another's gets it from somebody who only looked",
		Citation:  mixedScripts,
		Effective: rfc5280,
		Advice:    "ask whether the name is meant, by voice",
		applies:   always,
		check:     func(o *object) []string { return lookAlikes(o.csr.Subject, o.csr.DNSNames) },
	}}
}

// lookAlikes looks at every word of a subject and every label of the DNS names.
func lookAlikes(subject pkix.Name, hosts []string) []string {
	var details []string
	look := func(where, shown, text string) {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) {
			if scripts := confusableScripts(word); len(scripts) > 1 {
				details = append(details, fmt.Sprintf("%s %s has the word %+q, with letters of the alphabets %s", where, shown, word, strings.Join(scripts, " and ")))
			}
		}
	}
	for _, attribute := range subject.Names {
		if text, ok := attribute.Value.(string); ok {
			look("attribute", attribute.Type.String()+" of the subject", text)
		}
	}
	for _, host := range hosts {
		labels := strings.Split(host, ".")
		for _, label := range labels {
			encoded, is := strings.CutPrefix(strings.ToLower(label), "xn--")
			if !is {
				continue
			}
			text, ok := punycode(encoded)
			if !ok {
				continue // zlint says so
			}
			look("the DNS name", fmt.Sprintf("%q", host), text)
			if latinTop := labels[len(labels)-1]; !strings.HasPrefix(strings.ToLower(latinTop), "xn--") && readsAsLatin(text) {
				details = append(details, fmt.Sprintf("the DNS name %q has the label %+q, whose letters are all Cyrillic and all look like Latin ones", host, text))
			}
		}
	}
	return slices.Compact(details)
}

// confusableScripts is those of a word's alphabets whose letters are taken for
// one another. Latin beside Chinese or Japanese is how people write there.
func confusableScripts(word string) []string {
	var found []string
	for _, s := range []struct {
		name  string
		table *unicode.RangeTable
	}{{"Latin", unicode.Latin}, {"Cyrillic", unicode.Cyrillic}, {"Greek", unicode.Greek}, {"Armenian", unicode.Armenian}, {"Cherokee", unicode.Cherokee}} {
		if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(s.table, r) }) {
			found = append(found, s.name)
		}
	}
	return found
}

// readsAsLatin says whether every letter is a Cyrillic one that looks like a
// Latin one.
func readsAsLatin(label string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, label)
	return letters != "" && strings.Trim(letters, "асԁеһіјӏорԛѕԝхуүѡ") == ""
}

// punycode decodes what follows xn-- (RFC 3492 §6.2). A label is short, so the
// result is too.
func punycode(encoded string) (string, bool) {
	const base, tMin, tMax, skew, damp, initialBias, initialN, longest = 36, 1, 26, 38, 700, 72, 128, 63
	if len(encoded) > longest {
		return "", false
	}
	var out []rune
	if i := strings.LastIndexByte(encoded, '-'); i >= 0 {
		out, encoded = []rune(encoded[:i]), encoded[i+1:]
	}
	n, at, bias := initialN, 0, initialBias
	for len(encoded) > 0 {
		before, weight := at, 1
		for k := base; ; k += base {
			if encoded == "" {
				return "", false
			}
			digit := strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", encoded[0])
			encoded = encoded[1:]
			if digit < 0 {
				return "", false
			}
			at += digit * weight
			threshold := min(max(k-bias, tMin), tMax)
			if digit < threshold {
				break
			}
			if weight *= base - threshold; at > unicode.MaxRune*(longest+1) || weight > unicode.MaxRune*(longest+1) {
				return "", false
			}
		}
		size := len(out) + 1
		delta := (at - before) / 2
		if before == 0 {
			delta = at / damp
		}
		delta += delta / size
		k := 0
		for ; delta > (base-tMin)*tMax/2; k += base {
			delta /= base - tMin
		}
		bias = k + (base-tMin+1)*delta/(delta+skew)
		n, at = n+at/size, at%size
		if n > unicode.MaxRune {
			return "", false
		}
		out = slices.Insert(out, at, rune(n))
		at++
	}
	return string(out), true
}
