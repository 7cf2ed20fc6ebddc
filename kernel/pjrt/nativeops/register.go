//go:build linux && cgo

package nativeops

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lpthread -lm
#include "handlers.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Register gives the operations to a PJRT plugin, by its table of functions. Before that Rewrite's programs don't run.
func Register(api unsafe.Pointer) error {
	if why := C.sswe_register(api, C.int(lanes())); why != nil {
		return errors.New(C.GoString(why))
	}
	return nil
}

// Describe says what the operations run on.
func Describe() string { return fmt.Sprintf("vectors of %d numbers", lanes()) }
