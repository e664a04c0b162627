//go:build unix

package main

import "syscall"

// seclude keeps the memory of this process, which will hold a secret, out of
// core files.
func seclude() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
