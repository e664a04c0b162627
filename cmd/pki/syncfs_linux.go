package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// flushesAround says whether this system has one flush for many files.
const flushesAround = true

// syncAround puts everything of the file system that holds an open folder on
// the disk, and says whether it could.
func syncAround(d *os.File) bool { return unix.Syncfs(int(d.Fd())) == nil }
