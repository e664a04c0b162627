//go:build unix

package hclspec

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pki.internal/spec"
)

// fleetHead is what every generated estate begins with.
const fleetHead = `estate "fleet" {
  environment = "lab"
  subject {
    organization = ["ACME"]
    country      = ["US"]
  }
}

secret "lab" {
  prompt = true
}

key_store "file" "lab" {
  path     = "keys"
  password = secret.lab
}

authority "root" {
  subject {
    common_name = "ACME Root CA"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p384"
  }
  validity    = "20y"
  path_length = 1
  crl {
    urls      = ["http://pki.acme.example/root.crl"]
    valid_for = "200d"
  }
}
`

// fleetBlock is one of its authorities.
const fleetBlock = `
authority "issuing-%[1]d" {
  issuer = authority.root
  subject {
    common_name = "ACME Issuing CA %[1]d"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth", "client_auth"]
  name_constraints {
    permitted_dns = ["site-%[1]d.acme.internal"]
  }
  crl {
    urls      = ["http://pki.acme.example/issuing-%[1]d.crl"]
    valid_for = "10d"
  }
}
`

// fleet generates an estate of one root and n authorities below it.
func fleet(n, files int) fstest.MapFS {
	texts := make([]strings.Builder, files)
	texts[0].WriteString(fleetHead)
	for i := range n {
		fmt.Fprintf(&texts[i*files/n], fleetBlock, i)
	}
	folder := fstest.MapFS{}
	for i := range texts {
		folder[fmt.Sprintf("fleet-%03d.pki.hcl", i)] = &fstest.MapFile{Data: []byte(texts[i].String())}
	}
	return folder
}

// benchSize is the fleet of the benchmarks.
const benchSize = 10_000

// BenchmarkValidate is the whole of pki validate but for the process: read,
// parse, evaluate, decode, link and hold against every rule. By hand is the
// measure that docs/performance.md compares it with. On a busy machine the
// processor time says more than the clock.
func BenchmarkValidate(b *testing.B) {
	for _, files := range []int{1, 20} {
		folder := fleet(benchSize, files)
		run := func(name string, once func()) {
			b.Run(fmt.Sprintf("files=%d,%s", files, name), func(b *testing.B) {
				b.ReportAllocs()
				before := processorTime(b)
				for b.Loop() {
					once()
				}
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
		run("pki", func() {
			if _, diags := Load(folder, nil); len(diags) > 0 {
				b.Fatal(diags)
			}
		})
		run("by-hand", func() {
			if n := len(byHand(b, folder)); n != benchSize+1 {
				b.Fatal(n)
			}
		})
	}
}

// processorTime is what this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// byHand lexes, parses and decodes the authorities of a fleet with code that
// is written for them and nothing else, and checks no rule.
func byHand(b *testing.B, folder fstest.MapFS) map[string]*spec.Authority {
	authorities := map[string]*spec.Authority{}
	issuers := map[*spec.Authority]string{}
	for name, f := range folder {
		file, diags := hclsyntax.ParseConfig(f.Data, name, hcl.InitialPos)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			if block.Type != "authority" {
				continue
			}
			a, issuer := authorityByHand(b, block)
			authorities[block.Labels[0]], issuers[a] = a, issuer
		}
	}
	for a, name := range issuers {
		a.Issuer = authorities[name]
	}
	return authorities
}

func authorityByHand(b *testing.B, block *hclsyntax.Block) (*spec.Authority, string) {
	a, issuer := &spec.Authority{}, ""
	text := func(e hcl.Expression) string {
		v, diags := e.Value(nil)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		return v.AsString()
	}
	texts := func(e hcl.Expression) (all []string) {
		v, diags := e.Value(nil)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		for _, member := range v.AsValueSlice() {
			all = append(all, member.AsString())
		}
		return all
	}
	duration := func(e hcl.Expression) spec.Duration {
		d, err := spec.ParseDuration(text(e))
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	name := func(e hcl.Expression) string {
		t, diags := hcl.AbsTraversalForExpr(e)
		if diags.HasErrors() {
			b.Fatal(diags)
		}
		return t[1].(hcl.TraverseAttr).Name
	}
	for word, attribute := range block.Body.Attributes {
		switch word {
		case "issuer":
			issuer = name(attribute.Expr)
		case "validity":
			a.Validity = duration(attribute.Expr)
		case "path_length":
			v, _ := attribute.Expr.Value(nil)
			n, _ := v.AsBigFloat().Int64()
			a.PathLength = new(int(n))
		case "extended_key_usage":
			for _, u := range texts(attribute.Expr) {
				a.ExtendedKeyUsage = append(a.ExtendedKeyUsage, spec.ExtKeyUsage(u))
			}
		default:
			b.Fatal(word)
		}
	}
	for _, nested := range block.Body.Blocks {
		arguments := nested.Body.Attributes
		switch nested.Type {
		case "subject":
			a.Subject = spec.NewName(map[string][]string{"common_name": {text(arguments["common_name"].Expr)}}, nil)
		case "key":
			a.Key = &spec.Key{Store: &spec.KeyStore{Path: name(arguments["store"].Expr)}, Algorithm: spec.Algorithm(text(arguments["algorithm"].Expr))}
		case "name_constraints":
			a.NameConstraints = &spec.NameConstraints{PermittedDNS: texts(arguments["permitted_dns"].Expr)}
		case "crl":
			a.CRL = &spec.CRL{URLs: texts(arguments["urls"].Expr), ValidFor: duration(arguments["valid_for"].Expr)}
		default:
			b.Fatal(nested.Type)
		}
	}
	return a, issuer
}
