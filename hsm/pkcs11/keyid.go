package pkcs11

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"pki.internal/hsm"
)

// errShortID is a token that keeps a part of an id, and nobody knew it.
var errShortID = fmt.Errorf("%w: ids as long as planned", hsm.ErrUnsupported)

// wholeID is how many bytes the id of a key has on a token.
func (s *Store) wholeID() int {
	if s.idBytes > 0 {
		return int(min(s.idBytes, wholeID))
	}
	return wholeID
}

// kept refuses a token that was seen to keep a part of a throw-away key's id.
func (s *Store) kept(o object, id []byte) error {
	if len(o.ID) == len(id) {
		return nil
	}
	return s.fail(errShortID, `run pki token test --out FILE, name the file in the key store as capabilities = "FILE", and make a new plan; nothing was made`,
		"the token keeps %d bytes of a key's id, and plans draw ids of %d", len(o.ID), len(id))
}

// isShort reports whether an object is of a key of which the token kept a part
// of the id only.
func isShort(o object, k hsm.KeySpec) bool {
	return len(o.ID) >= shortID && len(o.ID) < len(k.ID) && bytes.HasPrefix(k.ID, o.ID) && shows(o.Label, k.Label)
}

// short says what to do about a key of which the token kept a part of the id.
// Nothing is signed with it: the ledger would know it by another name than the
// token.
func (s *Store) short(o object, k hsm.KeySpec) error {
	return s.fail(hsm.ErrUnsupported, fmt.Sprintf(`remove that key with the vendor's tool, as with pkcs11-tool --delete-object --id %x, once with --type privkey and once with --type pubkey; end the ceremony with pki ceremony abort if it has begun; then write what pki token test --out FILE says into the key store as capabilities = "FILE", and make a new plan`, o.ID),
		"the token keeps %d bytes of a key's id, %x of %x", len(o.ID), o.ID, k.ID)
}

// shortened looks for a key that was just made and is not there under its id.
func (s *Store) shortened(ctx context.Context, k hsm.KeySpec, missing error) error {
	all, err := s.objects(ctx, request{})
	if err != nil {
		return err
	}
	for _, o := range all {
		if isShort(o, k) {
			return s.short(o, k)
		}
	}
	return missing
}

// shows reports whether a token's label is the one that was given, or its
// beginning: some tokens keep a few characters only. The id and the public key
// say which key it is; a label is for people.
func shows(have, given string) bool {
	have = clean(have)
	return have == given || have != "" && strings.HasPrefix(given, have)
}
