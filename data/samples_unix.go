//go:build unix

package data

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapped is the file's first n bytes as memory, for as long as the process lives; what is written there stays in memory.
func mapped(file *os.File, n int) ([]byte, error) {
	if err := file.Truncate(int64(n)); err != nil { // the last sample may end in a hole
		return nil, err
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of samples: %w", n, err)
	}
	return memory, nil
}

// removeOpen removes the file's name; its content goes when nobody has it open or mapped.
func removeOpen(file *os.File) error { return os.Remove(file.Name()) }
