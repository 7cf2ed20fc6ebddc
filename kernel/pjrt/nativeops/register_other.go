//go:build !linux || !cgo

package nativeops

import (
	"errors"
	"unsafe"
)

// Register says that there are no native operations on this system.
func Register(unsafe.Pointer) error { return errors.New("there are none for this system") }

// Describe says the same.
func Describe() string { return "none for this system" }
