package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"pki.internal/plan/revocation"
)

// maxShards bounds how many lists one issuer has.
const maxShards = 4096

// placeholder stands for the number of a shard in --out and --url.
const placeholder = "{shard}"

func inShard(text string, shard int) string {
	return strings.ReplaceAll(text, placeholder, strconv.Itoa(shard))
}

func crlShardCommand(a *app) *cobra.Command {
	var shards int
	var url string
	c := &cobra.Command{
		Use:   "shard SERIAL…",
		Short: "Say on which of several CRLs a certificate is looked up",
		Long: `Say on which of an issuer's CRLs a certificate is looked up, by its serial number
in hexadecimal: the first eight octets of the SHA-256 of the number's octets, modulo
--shards. Whoever issues the certificate writes that list's URL into it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.crlShard(args, shards, url) },
	}
	c.Flags().IntVar(&shards, "shards", 0, "how many CRLs there are (required)")
	c.Flags().StringVar(&url, "url", "", "their URL, with "+placeholder+" for the number")
	return c
}

// placed is a serial number and its list.
type placed struct {
	Serial string `json:"serial"`
	Shard  int    `json:"shard"`
	URL    string `json:"url,omitempty"`
}

func (a *app) crlShard(args []string, shards int, url string) error {
	if shards < 1 || shards > maxShards {
		return &usageError{fmt.Errorf("--shards: give a number from 1 to %d", maxShards)}
	}
	var all []placed
	for _, text := range args {
		serial, err := revocation.ParseSerial(text)
		if err != nil {
			return err
		}
		shard := revocation.ShardOf(serial, shards)
		all = append(all, placed{serial.String(), shard, inShard(url, shard)})
	}
	return a.emit("crl shard", all, func(w io.Writer) {
		for _, p := range all {
			fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintf("%s %d %s", p.Serial, p.Shard, p.URL)))
		}
	})
}

// signShards signs every one of an issuer's lists. The input is read once.
func (s *crlSigner) signShards(ctx context.Context) error {
	if err := s.checkShards(); err != nil {
		return err
	}
	if err := s.openIssuer(ctx); err != nil {
		return err
	}
	records, done, err := s.readRevoked(ctx)
	if err != nil {
		return err
	}
	defer done()
	var manifests []manifest
	var reports []*crlSigner
	for shard := range s.o.shards {
		one := &crlSigner{
			app: s.app, o: s.o, now: s.now, issuer: s.issuer, algorithm: s.algorithm, key: s.key, floor: s.floor,
			blocks: s.blocks, described: s.described, shared: records, shard: shard,
		}
		one.o.out = inShard(s.o.out, shard)
		one.o.urls = nil
		for _, u := range s.o.urls {
			one.o.urls = append(one.o.urls, inShard(u, shard))
		}
		m, err := one.sign(ctx)
		if err != nil {
			return fmt.Errorf("shard %d (%s): %w; %d of %d are published", shard, one.o.out, err, shard, s.o.shards)
		}
		manifests, reports = append(manifests, *m), append(reports, one)
	}
	return s.emit("crl sign", manifests, func(w io.Writer) {
		for i, one := range reports {
			one.describe(w, manifests[i])
		}
	})
}

// checkShards sees that every list gets a file and a distribution point of its
// own: the name in the list is what binds a certificate to it (RFC 5280 §5.2.5).
func (s *crlSigner) checkShards() error {
	missing := !strings.Contains(s.o.out, placeholder) || len(s.o.urls) == 0 ||
		slices.ContainsFunc(s.o.urls, func(u string) bool { return !strings.Contains(u, placeholder) })
	switch {
	case s.o.shards < 2 || s.o.shards > maxShards:
		return &usageError{fmt.Errorf("--shards: give a number from 2 to %d", maxShards)}
	case missing:
		return &usageError{fmt.Errorf("--shards needs %s in --out and in every --url", placeholder)}
	case s.o.previous != "" || s.o.deltaOf != "" || s.o.number != "" && s.o.number != "1":
		return &usageError{fmt.Errorf("with --shards each CRL follows the one at its --out; leave --previous and --delta-of out, and give --number 1 for the first ones")}
	case s.o.shardBy == "issued" && s.o.issued == "":
		return &usageError{fmt.Errorf("--shard-by issued takes the shards from the list that --issued names; give it, with a column shard")}
	case s.o.shardBy != "issued" && s.o.shardBy != "serial":
		return &usageError{fmt.Errorf("--shard-by %s: use serial or issued", s.o.shardBy)}
	}
	return nil
}

// keep says which records belong on this signer's list; nil keeps all. known is
// asked by ascending numbers, and by nobody else.
func (s *crlSigner) keep(known *revocation.Known) func(revocation.Serial) (bool, error) {
	if s.shared == nil {
		return nil
	}
	if s.o.shardBy != "issued" {
		return func(serial revocation.Serial) (bool, error) {
			return revocation.ShardOf(serial, s.o.shards) == s.shard, nil
		}
	}
	return func(serial revocation.Serial) (bool, error) {
		shard, issued, err := known.Shard(serial)
		switch {
		case err != nil:
			return false, err
		case !issued:
			return false, fmt.Errorf("serial number %s is revoked, and %s does not have it, so nobody knows its shard", serial, s.o.issued)
		case shard < 0 || shard >= s.o.shards:
			return false, fmt.Errorf("serial number %s has no shard from 0 to %d in %s", serial, s.o.shards-1, s.o.issued)
		}
		return shard == s.shard, nil
	}
}

// bound refuses a certificate that looks for its revocation on another list:
// it would stay good (CABF BR §7.2.2.1, RFC 5280 §6.3.3 (b)(2)).
func (s *crlSigner) bound(c *x509.Certificate) error {
	if s.o.shards == 0 || s.o.shardBy != "serial" {
		return nil
	}
	serial, err := revocation.SerialOf(c.SerialNumber.Bytes())
	if err != nil {
		return err
	}
	shard := revocation.ShardOf(serial, s.o.shards)
	for _, u := range s.o.urls {
		if slices.Contains(c.CRLDistributionPoints, inShard(u, shard)) {
			return nil
		}
	}
	return fmt.Errorf("the certificate of %q looks for its revocation at %q, and its shard %d is at %q", c.Subject, c.CRLDistributionPoints, shard, inShard(s.o.urls[0], shard))
}
