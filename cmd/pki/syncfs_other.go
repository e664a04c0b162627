//go:build !linux

package main

import "os"

// syncAround says that files are to be flushed one by one.
func syncAround(*os.File) bool { return false }
