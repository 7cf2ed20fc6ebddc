//go:build unix

package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeBytes is the space that this user may still fill on the disk of dir.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("space of %s: %w", dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
