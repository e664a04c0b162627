package main

import "syscall"

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// seclude keeps the memory of this process, which may come to hold a secret,
// out of core files, and from debuggers of the same user. A limit of nothing
// alone does not: a program that core_pattern names is handed the core all the
// same (core(5)).
func seclude() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return err
	}
	if _, _, number := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); number != 0 {
		return number
	}
	return nil
}
