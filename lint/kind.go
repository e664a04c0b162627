package lint

import "encoding/asn1"

// KindOf tells the kind of an object in DER by its shape, as far as it is
// whole enough: one of the Object constants, or nothing. It asks for less than
// any parser does, so that an object which every parser refuses is still
// judged as what it is meant to be.
func KindOf(der []byte) string {
	outer, ok := inside(der)
	if !ok || len(outer) == 0 {
		return ""
	}
	if outer[0].Class == asn1.ClassUniversal && outer[0].Tag == asn1.TagEnum {
		return ObjectOCSP
	}
	signed, ok := inside(outer[0].FullBytes)
	if !ok || len(outer) < 2 {
		return ""
	}
	const context, integer, sequence, utc, generalized = 'c', 'i', 's', 't', 't'
	shape := ""
	for _, part := range signed[:min(len(signed), 7)] {
		letter := '?'
		switch {
		case part.Class == asn1.ClassContextSpecific:
			letter = context
		case part.Tag == asn1.TagInteger:
			letter = integer
		case part.Tag == asn1.TagSequence:
			letter = sequence
		case part.Tag == asn1.TagUTCTime:
			letter = utc
		case part.Tag == asn1.TagGeneralizedTime:
			letter = generalized
		}
		shape += string(letter)
	}
	switch {
	case hasPrefix(shape, "cissss", "issss", "cisss", "isss"): // RFC 5280 §4.1
		return ObjectCertificate
	case hasPrefix(shape, "isst", "sst"): // RFC 5280 §5.1
		return ObjectCRL
	case hasPrefix(shape, "iss"): // RFC 2986 §4.1
		return ObjectCSR
	}
	return ""
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(s) >= len(p) && s[:len(p)] == p {
			return true
		}
	}
	return false
}

// inside is the parts of a SEQUENCE, as far as they can be read. What follows
// the SEQUENCE is left alone: the parsers say that it is there.
func inside(der []byte) ([]asn1.RawValue, bool) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || outer.Class != asn1.ClassUniversal || outer.Tag != asn1.TagSequence || !outer.IsCompound {
		return nil, false
	}
	var parts []asn1.RawValue
	for rest := outer.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			return parts, true
		}
		parts = append(parts, part)
	}
	return parts, true
}

// First is the first object of data, without what follows: OpenSSL writes its
// own words about trust behind a TRUSTED CERTIFICATE.
func First(data []byte) []byte {
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(data, &first); err != nil {
		return data
	}
	return first.FullBytes
}

// Unwrap takes the certificates and revocation lists out of a PKCS #7 bundle
// (RFC 2315 §9.1), as .p7b and .p7c files hold them; nil for anything else.
func Unwrap(der []byte) [][]byte {
	outer, ok := inside(der)
	signedData := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	var id asn1.ObjectIdentifier
	if !ok || len(outer) != 2 {
		return nil
	}
	if _, err := asn1.Unmarshal(outer[0].FullBytes, &id); err != nil || !id.Equal(signedData) {
		return nil
	}
	content, _ := inside(outer[1].Bytes)
	var all [][]byte
	for _, part := range content {
		if part.Class != asn1.ClassContextSpecific || part.Tag > 1 {
			continue
		}
		for rest := part.Bytes; len(rest) > 0; {
			var one asn1.RawValue
			var err error
			if rest, err = asn1.Unmarshal(rest, &one); err != nil {
				break
			}
			all = append(all, one.FullBytes)
		}
	}
	return all
}
