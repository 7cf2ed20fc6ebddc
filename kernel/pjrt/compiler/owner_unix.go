//go:build unix

package compiler

import (
	"io/fs"
	"os"
	"syscall"
)

// ours tells whether a folder belongs to this user, or to root, who may do anything anyway.
func ours(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && (int(owner.Uid) == os.Geteuid() || owner.Uid == 0)
}
