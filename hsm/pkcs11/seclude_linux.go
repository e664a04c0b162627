package pkcs11

import "syscall"

const (
	prSetDumpable = 4
	madvDontDump  = 16
)

// seclude keeps the PIN from core files and from debuggers of the same user.
// Where the kernel says no, the rest still holds.
func seclude() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0)
}

// lockedPage gives memory that is never swapped or dumped, as far as the
// kernel allows.
func lockedPage() ([]byte, error) {
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	_ = syscall.Mlock(page)
	_ = syscall.Madvise(page, madvDontDump)
	return page[:maxSecret], nil
}
