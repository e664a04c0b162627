package shamir

// The parity of a line. Symbols are elements of GF(2^11), one to a word. A
// line's code word is its number (symbol 0, which is not written), six data
// words (1 to 6) and two parity words (7 and 8), such that
//
//	the sum of all symbols is zero, and
//	the sum of symbol i times a^i is zero, a being x.
//
// This is a Reed–Solomon code of distance 3: it corrects one wrong symbol, or
// restores two that are known to be missing. Because the line's number is part
// of it, a line in the wrong place shows.
const (
	wordBits   = 11
	dataWords  = 6
	lineWords  = 8
	symbols    = lineWords + 1
	reduction  = 1<<11 | 1<<2 | 1 // x^11 + x^2 + 1, which is primitive
	fieldOrder = 1<<wordBits - 1
)

func times(a, b uint16) uint16 {
	product := uint32(0)
	for i := range wordBits {
		if b>>i&1 == 1 {
			product ^= uint32(a) << i
		}
	}
	for i := 2*wordBits - 2; i >= wordBits; i-- {
		if product>>i&1 == 1 {
			product ^= reduction << (i - wordBits)
		}
	}
	return uint16(product)
}

// inverse gives a^(2^11-2), which is 1/a.
func inverse(a uint16) uint16 {
	result, base := uint16(1), a
	for e := fieldOrder - 1; e > 0; e >>= 1 {
		if e&1 == 1 {
			result = times(result, base)
		}
		base = times(base, base)
	}
	return result
}

func weight(i int) uint16 {
	w := uint16(1)
	for range i {
		w = times(w, 2)
	}
	return w
}

// syndromes are both zero for a sound line.
func syndromes(line *[symbols]uint16) (s0, s1 uint16) {
	for i, c := range line {
		s0 ^= c
		s1 ^= times(c, weight(i))
	}
	return s0, s1
}

// restore fills in the symbols at i and j, which hold 0.
func restore(line *[symbols]uint16, i, j int) {
	s0, s1 := syndromes(line)
	line[j] = times(s1^times(s0, weight(i)), inverse(weight(i)^weight(j)))
	line[i] = s0 ^ line[j]
}

// correct finds the one wrong symbol of a line and mends it. It gives the
// symbol's place, or -1 when the line is sound; more than one wrong symbol is
// not ok.
func correct(line *[symbols]uint16) (place int, ok bool) {
	s0, s1 := syndromes(line)
	if s0 == 0 && s1 == 0 {
		return -1, true
	}
	for i := range line {
		if times(s0, weight(i)) == s1 {
			line[i] ^= s0
			return i, true
		}
	}
	return -1, false
}
