package lint

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// checkProvisioners looks for what makes step-ca drop a provisioner, or stop.
func checkProvisioners(o *object) []string {
	var details []string
	names, clusters := map[string]bool{}, 0
	for i, p := range o.tree.config.Authority.Provisioners {
		if missing := p.lacking(); missing != "" {
			details = append(details, p.where(i)+" has no "+strings.TrimSuffix(missing, ", "))
		}
		for _, fault := range slices.Concat(p.faults(), p.hookFaults(), o.tree.decryptionFaults(p)) {
			details = append(details, p.where(i)+" "+fault)
		}
		if strings.EqualFold(p.Type, "K8sSA") {
			clusters++
		}
		if p.Name == "" || names[p.Name] {
			details = append(details, fmt.Sprintf("provisioner %d has no name of its own: %q", i+1, p.Name))
		}
		names[p.Name] = true
	}
	if clusters > 1 {
		details = append(details, "two provisioners are of type K8sSA: step-ca does not start with more than one")
	}
	return details
}

func lacks(missing bool, what string) string {
	if missing {
		return what + ", "
	}
	return ""
}

// lacking is what step-ca asks of the type, and is not there.
func (p stepProvisioner) lacking() string {
	switch strings.ToUpper(p.Type) {
	case "JWK":
		return lacks(len(p.Key) == 0 || string(p.Key) == "null", "key, without which step-ca does not start")
	case "OIDC":
		return lacks(p.ClientID == "", "clientID") + lacks(p.ConfigurationEndpoint == "", "configurationEndpoint")
	case "AZURE":
		return lacks(p.TenantID == "", "tenantID")
	case "X5C", "NEBULA":
		return lacks(p.Roots == "", "roots")
	case "K8SSA":
		return lacks(p.PublicKeys == "", "publicKeys")
	}
	return ""
}

// faults is what step-ca refuses when it sets the provisioner up.
func (p stepProvisioner) faults() []string {
	var faults []string
	fault := func(is bool, format string, args ...any) {
		if is {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	switch strings.ToUpper(p.Type) {
	case "OIDC":
		_, _, err := net.SplitHostPort(p.ListenAddress)
		fault(p.ListenAddress != "" && err != nil, "has the listenAddress %q, which has no port", p.ListenAddress)
	case "AWS":
		for _, version := range p.IMDSVersions {
			fault(version != "v1" && version != "v2", "has %q in imdsVersions, and AWS has v1 and v2", version)
		}
	case "GCP":
		fault(len(p.ProjectIDs) > 0 && p.OrganizationID != "", "has projectIDs and organizationID, and may have one of them")
	case "ACME":
		fault(p.RequireEAB, "requires account binding, whose keys step-ca cannot make without its hosted product")
		faults = append(faults, p.attestationFaults()...)
	case "X5C":
		octets := decoded(p.Roots)
		fault(octets != nil && pemFault(octets) != "", "has roots that hold %s", pemFault(octets))
	case "NEBULA":
		octets := decoded(p.Roots)
		fault(octets != nil && !bytes.Contains(octets, []byte("-----BEGIN NEBULA CERTIFICATE")), "has roots that hold no Nebula certificate in PEM")
	case "K8SSA":
		octets := decoded(p.PublicKeys)
		block, _ := pem.Decode(octets)
		fault(octets != nil && block == nil, "has publicKeys that hold no key in PEM, so no token of the cluster is good")
	case "SCEP":
		fault(p.MinimumPublicKeyLength%8 != 0, "has the minimumPublicKeyLength %d, which is no multiple of 8", p.MinimumPublicKeyLength)
		fault(p.EncryptionAlgorithm < 0 || p.EncryptionAlgorithm > 4, "has the encryptionAlgorithmIdentifier %d, and step-ca knows 0 to 4", p.EncryptionAlgorithm)
	}
	if age, err := time.ParseDuration(p.InstanceAge); err == nil && age < 0 {
		fault(true, "has the instanceAge %s, which is less than nothing", p.InstanceAge)
	}
	return faults
}

// attestationFaults is what an ACME provisioner cannot attest with. Without
// roots of its own step-ca has Apple's and Yubico's, and none for a TPM.
func (p stepProvisioner) attestationFaults() []string {
	var faults []string
	for _, format := range p.AttestationFormats {
		if !slices.Contains([]string{"apple", "step", "tpm"}, strings.ToLower(format)) {
			faults = append(faults, fmt.Sprintf("has %q in attestationFormats, and step-ca knows apple, step and tpm", format))
		}
	}
	octets := decoded(p.AttestationRoots)
	if octets != nil && pemFault(octets) != "" && p.AttestationRoots != "" {
		faults = append(faults, "has attestationRoots that hold "+pemFault(octets))
	}
	offers := func(prefix string) bool {
		return slices.ContainsFunc(p.Challenges, func(c string) bool { return strings.HasPrefix(strings.ToLower(c), prefix) })
	}
	named := slices.ContainsFunc(p.AttestationFormats, func(f string) bool { return strings.EqualFold(f, "tpm") })
	if offers("device-attest-") && named && p.AttestationRoots == "" {
		faults = append(faults, "attests with a TPM and has no attestationRoots: step-ca has none of its own, and refuses every TPM")
	}
	if offers("wire-") && (p.Options == nil || len(p.Options.Wire) == 0) {
		faults = append(faults, "offers a challenge of Wire, and has no options.wire")
	}
	return faults
}

// pemFault says what is wrong with certificates in PEM; empty when nothing is.
func pemFault(octets []byte) string {
	block, rest := pem.Decode(octets)
	if block == nil {
		return "no certificate in PEM"
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "a block that is no certificate"
		}
	}
	return ""
}

// hookFaults is what step-ca asks of a webhook. One with a certType that it
// does not know is never asked.
func (p stepProvisioner) hookFaults() []string {
	if p.Options == nil {
		return nil
	}
	var faults []string
	for _, hook := range p.Options.Webhooks {
		where := fmt.Sprintf("has the webhook %q", hook.Name)
		u, err := url.Parse(hook.URL)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			faults = append(faults, where+", whose url is no https URL, or has a user's name or password")
		}
		if !slices.Contains([]string{"ENRICHING", "AUTHORIZING", "SCEPCHALLENGE", "NOTIFYING"}, strings.ToUpper(hook.Kind)) {
			faults = append(faults, fmt.Sprintf("%s, whose kind is %q", where, hook.Kind))
		}
		if !slices.Contains([]string{"", "ALL", "X509", "SSH"}, hook.CertType) {
			faults = append(faults, fmt.Sprintf("%s, whose certType is %q: step-ca knows ALL, X509 and SSH, and never asks it", where, hook.CertType))
		}
		if hook.Name == "" {
			faults = append(faults, "has a webhook without a name")
		}
	}
	return faults
}

// decryptionFaults says whether SCEP has a key that can decrypt: the issuer's,
// if it is RSA, or one of its own.
func (t *stepTree) decryptionFaults(p stepProvisioner) []string {
	if !strings.EqualFold(p.Type, "SCEP") || p.DecrypterCertificate != "" || t.issuing == nil {
		return nil
	}
	if _, can := t.issuing.PublicKey.(*rsa.PublicKey); can {
		return nil
	}
	return []string{fmt.Sprintf("has no decrypterCertificate, and the key of %q cannot decrypt", t.issuing.Subject)}
}
