package spec

import (
	"cmp"
	"time"
)

// Claims are step-ca's limits on lifetimes and renewals; nil fields inherit:
// a provisioner's from its online CA, and an online CA's from step-ca.
type Claims struct {
	Origin
	MinTLS, MaxTLS, DefaultTLS             *Span
	MinUserSSH, MaxUserSSH, DefaultUserSSH *Span
	MinHostSSH, MaxHostSSH, DefaultHostSSH *Span
	EnableSSHCA                            *bool
	DisableRenewal                         *bool
	AllowRenewalAfterExpiry                *bool
	DisableSmallstepExtensions             *bool
}

// StepCAClaims are the claims that hold where nobody says anything (step-ca
// 0.30, authority/config).
func StepCAClaims() Claims {
	span := func(d time.Duration) *Span { return new(Span(d)) }
	return Claims{
		MinTLS: span(5 * time.Minute), MaxTLS: span(24 * time.Hour), DefaultTLS: span(24 * time.Hour),
		MinUserSSH: span(5 * time.Minute), MaxUserSSH: span(24 * time.Hour), DefaultUserSSH: span(16 * time.Hour),
		MinHostSSH: span(5 * time.Minute), MaxHostSSH: span(30 * 24 * time.Hour), DefaultHostSSH: span(30 * 24 * time.Hour),
		EnableSSHCA: new(false), DisableRenewal: new(false), AllowRenewalAfterExpiry: new(false), DisableSmallstepExtensions: new(false),
	}
}

// Over gives the claims that hold where c is written below others.
func (c *Claims) Over(below Claims) Claims {
	if c == nil {
		return below
	}
	return Claims{
		Origin: c.Origin,
		MinTLS: cmp.Or(c.MinTLS, below.MinTLS), MaxTLS: cmp.Or(c.MaxTLS, below.MaxTLS), DefaultTLS: cmp.Or(c.DefaultTLS, below.DefaultTLS),
		MinUserSSH: cmp.Or(c.MinUserSSH, below.MinUserSSH), MaxUserSSH: cmp.Or(c.MaxUserSSH, below.MaxUserSSH), DefaultUserSSH: cmp.Or(c.DefaultUserSSH, below.DefaultUserSSH),
		MinHostSSH: cmp.Or(c.MinHostSSH, below.MinHostSSH), MaxHostSSH: cmp.Or(c.MaxHostSSH, below.MaxHostSSH), DefaultHostSSH: cmp.Or(c.DefaultHostSSH, below.DefaultHostSSH),
		EnableSSHCA:                cmp.Or(c.EnableSSHCA, below.EnableSSHCA),
		DisableRenewal:             cmp.Or(c.DisableRenewal, below.DisableRenewal),
		AllowRenewalAfterExpiry:    cmp.Or(c.AllowRenewalAfterExpiry, below.AllowRenewalAfterExpiry),
		DisableSmallstepExtensions: cmp.Or(c.DisableSmallstepExtensions, below.DisableSmallstepExtensions),
	}
}

// validate keeps min ≤ default ≤ max for every family of certificates. step-ca
// checks those of TLS, by disabling the provisioner at start, and those of SSH
// never. What is not written counts as inherited.
func (c *Claims) validate(d *Diagnostics, inherited Claims) {
	if c == nil {
		return
	}
	all := c.Over(inherited)
	for _, family := range []struct {
		word             string
		low, mean, large *Span
	}{
		{"tls", all.MinTLS, all.DefaultTLS, all.MaxTLS},
		{"user_ssh", all.MinUserSSH, all.DefaultUserSSH, all.MaxUserSSH},
		{"host_ssh", all.MinHostSSH, all.DefaultHostSSH, all.MaxHostSSH},
	} {
		c.inOrder(d, family.word, family.low, family.mean, family.large)
	}
	if *all.DisableRenewal && *all.AllowRenewalAfterExpiry {
		d.Report(c.Origin, "allow_renewal_after_expiry", "Renewal allowed and forbidden",
			"disable_renewal forbids what allow_renewal_after_expiry allows. Remove one of them, here or where it is inherited from.")
	}
}

func (c *Claims) inOrder(d *Diagnostics, word string, low, mean, large *Span) {
	lowName, meanName, largeName := "min_"+word+"_duration", "default_"+word+"_duration", "max_"+word+"_duration"
	for _, pair := range []struct {
		low, high         *Span
		lowName, highName string
	}{
		{low, large, lowName, largeName},
		{low, mean, lowName, meanName},
		{mean, large, meanName, largeName},
	} {
		if *pair.low <= *pair.high {
			continue
		}
		at := pair.highName
		if _, written := c.Attributes[at]; !written {
			at = pair.lowName
		}
		d.Report(c.Origin, at, "Claims out of order",
			"%s (%s) is shorter than %s (%s), and what is not written is inherited. step-ca would disable the provisioner. Write all three so that min ≤ default ≤ max.",
			pair.highName, pair.high.plain(), pair.lowName, pair.low.plain())
		return
	}
}

// withinLife refuses leaves that may outlive the authority: step-ca issues
// them without a word, and no client takes them after the authority's end.
func (c *Claims) withinLife(d *Diagnostics, a *Authority) {
	if c == nil || c.MaxTLS == nil || a.Validity.IsZero() {
		return
	}
	if yardstick.Add(time.Duration(*c.MaxTLS)).After(a.Validity.Last(yardstick)) {
		d.Report(c.Origin, "max_tls_duration", "Leaves outlive their issuer",
			"A leaf may count for %s, and the certificate of %s counts for %s. step-ca would issue it, and no client would accept it to its end (RFC 5280 §6.1.3). Shorten max_tls_duration.",
			c.MaxTLS.plain(), a.Address, a.Validity)
	}
}
