package lint

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
	"syscall"
)

func TestZZBulk(t *testing.T) {
	files, _ := filepath.Glob("/root/go/pkg/mod/github.com/zmap/zlint/v3@v3.7.3/testdata/*.pem")
	var ders [][]byte
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if block, _ := pem.Decode(b); block != nil && block.Type == "CERTIFICATE" {
			ders = append(ders, block.Bytes)
		}
	}
	l := mustNew(t, "private")
	for _, preview := range []bool{true} {
		l.Certificate(Certificate{DER: ders[0], Preview: preview}, testNow)
		began := time.Now()
		var u0, u1 syscall.Rusage
		syscall.Getrusage(0, &u0)
		n := 0
		per := map[string]int{}
		for range 4 {
			for _, der := range ders {
				for _, f := range l.Certificate(Certificate{DER: der, Preview: preview}, testNow) {
					if f.Source == SourcePKI { per[f.Lint]++ }
				}
				n++
			}
		}
		syscall.Getrusage(0, &u1)
		cpu := float64(u1.Utime.Nano()+u1.Stime.Nano()-u0.Utime.Nano()-u0.Stime.Nano())/1e9
		t.Logf("cpu rate %.0f", float64(n)/cpu)
		t.Logf("preview %t: %d certs, %.0f/s", preview, n, float64(n)/time.Since(began).Seconds())
		if preview { t.Log(per) }
	}
}
