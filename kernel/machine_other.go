//go:build !linux

package kernel

import "errors"

func memoryBytes() (uint64, error) { return 0, errors.New("not read on this system") }
