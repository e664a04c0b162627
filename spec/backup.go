package spec

import (
	"slices"
	"strings"
)

// Policies of backup: how a copy of a key comes into another store.
const (
	// NoBackup says that there is to be no second copy, on purpose.
	NoBackup = "none"
	// WrapThenSeal has a key born so that it may leave its token encrypted,
	// copied, and then closed in for good. PKCS#11 knows no other way that is
	// not a vendor's: a key is extractable at birth or never.
	WrapThenSeal = "wrap-then-seal"
	// VendorClone leaves the copying to the vendor's tool; the key never leaves
	// by PKCS#11, and the ceremony proves the copy.
	VendorClone = "vendor-clone"
	// CopyFile encrypts a key of a file store anew, under the password of another.
	CopyFile = "copy"
)

// BackupPolicies lists the policies in the order in which help shows them.
func BackupPolicies() []string { return []string{NoBackup, WrapThenSeal, VendorClone, CopyFile} }

// Policy gives the backup policy that counts when none is written.
func (k *Key) Policy() string {
	switch {
	case k.BackupPolicy != "":
		return k.BackupPolicy
	case len(k.Backup) == 0:
		return NoBackup
	case k.Store != nil && k.Store.Kind == FileStore:
		return CopyFile
	}
	return WrapThenSeal
}

// validateBackup sees that the copies of a key lie elsewhere, and in stores of
// its own kind.
func (k *Key) validateBackup(d *Diagnostics) {
	if k == nil || k.Store == nil {
		return
	}
	word := "backup"
	if _, written := k.Attributes["backup_policy"]; written {
		word = "backup_policy"
	}
	file := k.Store.Kind == FileStore
	switch policy := k.Policy(); {
	case !slices.Contains(BackupPolicies(), policy):
		d.Report(k.Origin, word, "Unknown backup policy", "%q is not a policy. Write \"%s\".", policy, strings.Join(BackupPolicies(), `", "`))
	case policy == NoBackup && len(k.Backup) > 0:
		d.Report(k.Origin, word, "Backup against its own policy", "The policy is \"none\", and backup names key stores. Remove one of the two.")
	case policy != NoBackup && len(k.Backup) == 0:
		d.Report(k.Origin, word, "Backup policy without a backup", "Nothing says where the copy goes. Add backup = [key_store.NAME], or remove backup_policy.")
	case len(k.Backup) > 0 && file != (policy == CopyFile):
		d.Report(k.Origin, word, "Backup policy of another kind of key store",
			"A key in a file is copied (\"copy\"); one on a token is wrapped and sealed, or cloned by the vendor's tool. Leave backup_policy out for what fits.")
	}
	if k.Policy() == WrapThenSeal {
		for _, store := range append([]*KeyStore{k.Store}, k.Backup...) {
			store.validateCopies(d, k)
		}
	}
	for i, b := range k.Backup {
		switch {
		case b == nil:
		case b == k.Store || slices.Contains(k.Backup[:i], b):
			d.Report(k.Origin, "backup", "Backup in the same place", "%s holds the key already. Name another key store.", b.Address)
		case b.Kind != k.Store.Kind:
			d.Report(k.Origin, "backup", "Backup of another kind",
				"%s is of kind %q and %s of kind %q. A key of a token would lie in a file, or a key that lay in a file would pass for one of a token. Name a key store of kind %q.",
				b.Address, b.Kind, k.Store.Address, k.Store.Kind, k.Store.Kind)
		case b.samePlace(k.Store):
			d.Report(k.Origin, "backup", "Backup in the same place", "%s and %s are one place under two names. Name a key store elsewhere.", b.Address, k.Store.Address)
		case b.Token != nil && b.Token.Capabilities != nil:
			if why, works := b.Token.Capabilities.Can(k.Algorithm); !works {
				d.Report(k.Origin, "backup", "Algorithm that the token cannot do", "%s says that the token %q cannot do %s: %s. Choose another algorithm, or another token for the backup.",
					b.Token.CapabilitiesFile, b.Token.Capabilities.Token.Label, k.Algorithm.Title(), why)
			}
		}
	}
}

// validateCopies refuses a backup that a token was seen not to take part in.
func (k *KeyStore) validateCopies(d *Diagnostics, key *Key) {
	if k == nil || k.Token == nil || k.Token.Capabilities == nil {
		return
	}
	if why, works := k.Token.Capabilities.CanCopy(key.Algorithm); !works {
		d.Report(key.Origin, "backup", "Backup that the token cannot do",
			"%s says that the token %q cannot wrap or unwrap a key of %s: %s. Choose another algorithm or token, or write backup_policy = \"vendor-clone\" and use the vendor's tool.",
			k.Token.CapabilitiesFile, k.Token.Capabilities.Token.Label, key.Algorithm.Title(), why)
	}
}

// samePlace reports whether two key stores are plainly one token or one folder.
func (k *KeyStore) samePlace(other *KeyStore) bool {
	if k.Kind == FileStore {
		return strings.EqualFold(k.Path, other.Path)
	}
	a, b := k.Token, other.Token
	return a != nil && b != nil && a.Module == b.Module && a.InitArgs == b.InitArgs && a.Label == b.Label && a.Serial == b.Serial
}

// warnWithoutBackup reminds of a root's key that dies with its token.
func (a *Authority) warnWithoutBackup(d *Diagnostics, env Environment) {
	if env != Production || !a.IsRoot() || a.Key == nil || a.Key.Store == nil || a.Key.Store.Token == nil || a.Import != nil {
		return
	}
	if len(a.Key.Backup) == 0 && a.Key.BackupPolicy == "" {
		d.Warn(a.Key.Origin, "store", "Root key without a backup",
			"When the token dies, so does the root. Add backup = [key_store.NAME], or write backup_policy = \"none\" if that is meant.")
	}
}
