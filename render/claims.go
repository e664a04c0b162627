package render

import (
	"cmp"
	"errors"
	"time"

	"pki.internal/spec"
)

// claims are step-ca's limits. What is nil stays step-ca's own choice.
type claims struct {
	MinTLS                  string `json:"minTLSCertDuration,omitempty"`
	MaxTLS                  string `json:"maxTLSCertDuration,omitempty"`
	DefaultTLS              string `json:"defaultTLSCertDuration,omitempty"`
	DisableRenewal          *bool  `json:"disableRenewal,omitempty"`
	AllowRenewalAfterExpiry *bool  `json:"allowRenewalAfterExpiry,omitempty"`
}

func claimsOf(c *spec.Claims) *claims {
	if c == nil {
		return nil
	}
	return &claims{
		MinTLS:                  span(c.MinTLS),
		MaxTLS:                  span(c.MaxTLS),
		DefaultTLS:              span(c.DefaultTLS),
		DisableRenewal:          c.DisableRenewal,
		AllowRenewalAfterExpiry: c.AllowRenewalAfterExpiry,
	}
}

// span gives a duration as step-ca parses it, and nothing for nil.
func span(s *spec.Span) string {
	if s == nil {
		return ""
	}
	return s.String()
}

// ownClaims are what step-ca takes where nobody says anything.
func ownClaims() *spec.Claims {
	return &spec.Claims{
		MinTLS:     new(spec.Span(5 * time.Minute)),
		DefaultTLS: new(spec.Span(24 * time.Hour)),
		MaxTLS:     new(spec.Span(24 * time.Hour)),
	}
}

// checkClaims refuses claims that are in order as written and not with what
// they inherit: a provisioner's come from the online CA and from step-ca where
// it has none. step-ca would not start, or would disable the provisioner with
// a line in its log.
func checkClaims(o *spec.OnlineCA) error {
	inherited := inherit(o.Claims, ownClaims())
	if err := inOrder(o.Origin, inherited); err != nil {
		return err
	}
	var refused []error
	for _, p := range o.Provisioners {
		refused = append(refused, inOrder(p.Origin, inherit(p.Claims, inherited)))
	}
	return errors.Join(refused...)
}

func inherit(c, from *spec.Claims) *spec.Claims {
	if c == nil {
		return from
	}
	return &spec.Claims{
		MinTLS:     cmp.Or(c.MinTLS, from.MinTLS),
		DefaultTLS: cmp.Or(c.DefaultTLS, from.DefaultTLS),
		MaxTLS:     cmp.Or(c.MaxTLS, from.MaxTLS),
	}
}

func inOrder(o spec.Origin, c *spec.Claims) error {
	if *c.MinTLS <= *c.DefaultTLS && *c.DefaultTLS <= *c.MaxTLS {
		return nil
	}
	return refuse(o, "with what its claims inherit, min_tls_duration is %s, default_tls_duration %s and max_tls_duration %s, "+
		"and step-ca wants them in this order; write all three in its claims block", c.MinTLS, c.DefaultTLS, c.MaxTLS)
}
