package hclspec

import "pki.internal/spec"

// linkLifecycle takes over what a block says about the next certificate and
// the next key.
func (raw *rawAuthority) linkLifecycle(a *spec.Authority) {
	if raw.Generation != nil {
		a.Generation = *raw.Generation
	}
	a.KeyReuse, a.RenewBefore = raw.KeyReuse, raw.RenewBefore
	a.PreventReplace = raw.Lifecycle != nil && raw.Lifecycle.PreventReplace
}
