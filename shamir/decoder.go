package shamir

import _ "embed"

// Decoder is a short program in another language that gives a secret back
// from the words of its shares. It is printed on every sheet, for the day on
// which this program is gone.
//
//go:embed recover.py
var Decoder string
