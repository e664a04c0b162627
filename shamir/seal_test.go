package shamir

import (
	"bytes"
	"io"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// TestSeal opens with age what was sealed for one person, and sees that another
// one cannot.
func TestSeal(t *testing.T) {
	mine, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	to, err := ParseRecipient(mine.Recipient().String(), Person{})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := to.Seal([]byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("horse")) {
		t.Error("the secret stands in the file")
	}
	if _, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), other); err == nil {
		t.Error("somebody else opens the file")
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), mine)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "correct horse" {
		t.Errorf("the file holds %q: %v", text, err)
	}
}
