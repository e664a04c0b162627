package lint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// typeFaults reads ca.json once more, for the types of its values.
func (t *stepTree) typeFaults() []string {
	i := slices.IndexFunc(t.files, func(f File) bool { return f.Path == t.configPath })
	if i < 0 {
		return nil
	}
	return checkTypes(t.files[i].Data, "", 0)
}

// checkService is what step-ca asks when it sets up its keys, its database and
// the service that signs.
func checkService(t *stepTree) []string {
	c := t.config
	var details []string
	need := func(missing bool, what string) {
		if missing {
			details = append(details, what)
		}
	}
	issuer := c.Authority.CertificateIssuer
	switch strings.ToLower(c.Authority.Type) {
	case "stepcas":
		need(c.Authority.CertificateAuthority == "", "authority.type is stepcas, and certificateAuthority is not set")
		need(c.Authority.CertificateAuthorityFingerprint == "", "authority.type is stepcas, and certificateAuthorityFingerprint is not set")
		need(issuer.Provisioner == "", "authority.type is stepcas, and certificateIssuer.provisioner is not set")
		x5c := strings.EqualFold(issuer.Type, "x5c")
		need(!x5c && !strings.EqualFold(issuer.Type, "jwk"), fmt.Sprintf("authority.type is stepcas, and certificateIssuer.type is %q, neither jwk nor x5c", issuer.Type))
		need(x5c && (issuer.Crt == "" || issuer.Key == ""), "certificateIssuer.type is x5c, and crt or key is not set")
	case "cloudcas":
		need(!cloudAuthority(c.Authority.CertificateAuthority), fmt.Sprintf("authority.type is cloudcas, and certificateAuthority %q is not projects/*/locations/*/caPools/*/certificateAuthorities/*", c.Authority.CertificateAuthority))
	case "vaultcas":
		need(c.Authority.CertificateAuthority == "", "authority.type is vaultcas, and certificateAuthority is not set")
	}
	need(c.Authority.EnableAdmin && c.DB == nil, "authority.enableAdmin is on, and db is not set: there is nowhere to keep provisioners")
	soft := c.KMS.Type == "" || strings.EqualFold(c.KMS.Type, "softkms")
	for name, key := range map[string]string{"key": c.Key, "ssh.hostKey": c.SSH.HostKey, "ssh.userKey": c.SSH.UserKey} {
		need(soft && c.KMS.URI == "" && inToken(key), name+" is in a token or a service, and kms is not set: step-ca looks for a file of that name")
		need(strings.EqualFold(c.KMS.Type, "pkcs11") && key != "" && !strings.Contains(key, ":"), name+" is a file, and kms.type is pkcs11: step-ca has one kms for all keys")
	}
	for _, reserved := range []string{"Step", "User"} {
		_, set := c.Templates.Data[reserved]
		need(set, fmt.Sprintf("templates.data has %q, which step-ca sets itself", reserved))
	}
	slices.Sort(details)
	return details
}

// inToken says whether a key is named by the URI of a key manager.
func inToken(key string) bool {
	scheme, _, found := strings.Cut(key, ":")
	return found && slices.Contains([]string{"pkcs11", "awskms", "cloudkms", "azurekms", "tpmkms", "yubikey", "sshagentkms", "capi", "mackms"}, strings.ToLower(scheme))
}

// cloudAuthority says whether a name is that of an authority of Google's.
func cloudAuthority(name string) bool {
	parts := strings.Split(name, "/")
	return len(parts) == 8 && parts[0] == "projects" && parts[2] == "locations" && parts[4] == "caPools" && parts[6] == "certificateAuthorities"
}

// absentFiles names what ca.json reads and the tree does not hold. Where the
// tree stands is told from the files that are there: a path elsewhere may
// exist. Keys and passwords are delivered by other ways, and not asked for.
func (t *stepTree) absentFiles() []string {
	if len(t.files) < 2 {
		return nil // ca.json by itself
	}
	c := t.config
	named := map[string]string{"crt": c.Crt}
	for i, root := range c.Root {
		named[fmt.Sprintf("root %d", i+1)] = root
	}
	for i, root := range c.FederatedRoots {
		named[fmt.Sprintf("federatedRoots %d", i+1)] = root
	}
	places := map[string]bool{}
	for _, name := range named {
		if i := t.indexOf(name); i >= 0 {
			places[strings.TrimSuffix(path.Clean("/"+name), path.Clean("/"+t.files[i].Path))] = true
		}
	}
	var details []string
	for what, name := range named {
		within := slices.ContainsFunc(slices.Collect(maps.Keys(places)), func(place string) bool {
			return place != "" && strings.HasPrefix(path.Clean("/"+name), place+"/")
		})
		if name != "" && within && t.indexOf(name) < 0 {
			details = append(details, fmt.Sprintf("%s is %s, and the tree has no such file", what, name))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Templates.SSH)) {
		for _, f := range c.Templates.SSH[kind] {
			if len(places) > 0 && f.Template != "" && !path.IsAbs(f.Template) && t.indexOf(f.Template) < 0 {
				details = append(details, fmt.Sprintf("templates.ssh.%s names %s, and the tree has no such file", kind, f.Template))
			}
		}
	}
	slices.Sort(details)
	return details
}

// indexOf is the file of the tree that a path in ca.json means, or -1.
func (t *stepTree) indexOf(name string) int {
	return slices.IndexFunc(t.files, func(f File) bool { return sameFile(name, f.Path) })
}
