//go:build !unix

package data

import (
	"errors"
	"io"
	"os"
)

// mapped reads the file's first n bytes into memory and ends the file: this system has no memory that comes from a file.
func mapped(file *os.File, n int) ([]byte, error) {
	memory := make([]byte, n)
	if _, err := file.ReadAt(memory, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return memory, errors.Join(file.Close(), os.Remove(file.Name()))
}

// removeOpen leaves the name to mapped: an open file cannot be removed here.
func removeOpen(*os.File) error { return nil }
