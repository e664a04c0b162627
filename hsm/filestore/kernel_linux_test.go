package filestore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"pki.internal/spec"
)

func TestReadOnlyFolder(t *testing.T) {
	s, folder := newStore(t)
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	var err error
	asOrdinaryUser(func() { _, _, err = s.Generate(t.Context(), keySpec(spec.Ed25519)) })
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Generate = %v, want permission denied", err)
	}
	if have := filesIn(t, folder); len(have) != 0 {
		t.Errorf("files = %v, want none", have)
	}
}

// asOrdinaryUser makes the kernel judge this thread's use of files as that of
// an ordinary user, because root may write anywhere.
func asOrdinaryUser(do func()) {
	if os.Getuid() != 0 {
		do()
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
	defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	do()
}

// TestFindReadsOrdinaryFilesOnly keeps a pipe from blocking the program for
// ever and a huge file from filling its memory.
func TestFindReadsOrdinaryFilesOnly(t *testing.T) {
	s, folder := newStore(t)
	put(t, folder, "keys/root.key", bytes.Repeat([]byte("x"), maxFile+1))
	if err := syscall.Mkfifo(filepath.Join(folder, "keys/pipe.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{"keys/root.key", "keys/pipe.key"} {
		k := keySpec(spec.Ed25519)
		k.Location = location
		if _, err := s.Find(t.Context(), k, nil); err == nil || !strings.Contains(err.Error(), "holds no key") {
			t.Errorf("%s: %v", location, err)
		}
	}
}
