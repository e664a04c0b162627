package render

import (
	"pki.internal/spec"
)

// claims are step-ca's limits. What is nil stays step-ca's own choice.
type claims struct {
	MinTLS                     string `json:"minTLSCertDuration,omitempty"`
	MaxTLS                     string `json:"maxTLSCertDuration,omitempty"`
	DefaultTLS                 string `json:"defaultTLSCertDuration,omitempty"`
	MinUserSSH                 string `json:"minUserSSHCertDuration,omitempty"`
	MaxUserSSH                 string `json:"maxUserSSHCertDuration,omitempty"`
	DefaultUserSSH             string `json:"defaultUserSSHCertDuration,omitempty"`
	MinHostSSH                 string `json:"minHostSSHCertDuration,omitempty"`
	MaxHostSSH                 string `json:"maxHostSSHCertDuration,omitempty"`
	DefaultHostSSH             string `json:"defaultHostSSHCertDuration,omitempty"`
	EnableSSHCA                *bool  `json:"enableSSHCA,omitempty"`
	DisableRenewal             *bool  `json:"disableRenewal,omitempty"`
	AllowRenewalAfterExpiry    *bool  `json:"allowRenewalAfterExpiry,omitempty"`
	DisableSmallstepExtensions *bool  `json:"disableSmallstepExtensions,omitempty"`
}

func claimsOf(c *spec.Claims) *claims {
	if c == nil {
		return nil
	}
	return &claims{
		MinTLS: span(c.MinTLS), MaxTLS: span(c.MaxTLS), DefaultTLS: span(c.DefaultTLS),
		MinUserSSH: span(c.MinUserSSH), MaxUserSSH: span(c.MaxUserSSH), DefaultUserSSH: span(c.DefaultUserSSH),
		MinHostSSH: span(c.MinHostSSH), MaxHostSSH: span(c.MaxHostSSH), DefaultHostSSH: span(c.DefaultHostSSH),
		EnableSSHCA:                c.EnableSSHCA,
		DisableRenewal:             c.DisableRenewal,
		AllowRenewalAfterExpiry:    c.AllowRenewalAfterExpiry,
		DisableSmallstepExtensions: c.DisableSmallstepExtensions,
	}
}

// span gives a duration as step-ca parses it, and nothing for nil.
func span(s *spec.Span) string {
	if s == nil {
		return ""
	}
	return s.String()
}
