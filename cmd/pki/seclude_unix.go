//go:build unix && !linux

package main

import "syscall"

// seclude keeps the memory of this process, which may come to hold a secret,
// out of core files.
func seclude() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
