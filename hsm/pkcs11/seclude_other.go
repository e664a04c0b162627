//go:build !linux

package pkcs11

import "syscall"

// seclude and lockedPage do less here than on Linux: the syscall package of
// these systems has no way to lock memory.
func seclude() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

func lockedPage() ([]byte, error) {
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	return page[:maxSecret], nil
}
