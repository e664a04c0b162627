//go:build ignore

// Genindex writes an openssl index.txt of revoked certificates, the same for
// the same flags: go run genindex.go -n 1000000 -seed 1 [-sorted]
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
)

func main() {
	n := flag.Int("n", 10_000, "lines")
	seed := flag.Uint64("seed", 1, "seed")
	sorted := flag.Bool("sorted", false, "by ascending serial number")
	flag.Parse()
	random := rand.New(rand.NewPCG(*seed, 0))
	serials := make([][2]uint64, *n)
	for i := range serials {
		serials[i] = [2]uint64{random.Uint64()>>1 | 1<<62, random.Uint64()} // 16 octets, as pki draws them
	}
	if *sorted {
		slices.SortFunc(serials, func(a, b [2]uint64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	}
	reasons := []string{"", "", ",keyCompromise", ",superseded", ",cessationOfOperation"} // 60 % give one
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	for i, s := range serials {
		fmt.Fprintf(w, "R\t3012%02d%02d0000Z\t2606%02d%02d%02d%02dZ%s\t%016X%016X\tunknown\t/CN=%d.example\n",
			1+random.IntN(28), random.IntN(24), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60),
			reasons[random.IntN(len(reasons))], s[0], s[1], i)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
