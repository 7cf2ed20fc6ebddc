//go:build cgo

package compiler

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "wrap_linux.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"unsafe"

	gopjrt "github.com/gomlx/go-xla/pjrt"

	"elastography/kernel/pjrt/nativeops"
)

// active is what compiling goes through. It is the process's, like the wrapped plugin: C calls back without saying for whom.
var active atomic.Pointer[hook]

// wrap registers the plugin with go-xla under its own path, so that GOMLX_BACKEND selects it as before, with compiling
// replaced.
func wrap(h *hook) error {
	if old := active.Load(); old != nil {
		if old.plugin != h.plugin {
			return fmt.Errorf("one plugin a process is served, here %s", old.plugin)
		}
		return nil
	}
	path := C.CString(h.plugin)
	defer C.free(unsafe.Pointer(path))
	var why *C.char
	api := C.sswe_wrap(path, &why)
	if api == nil {
		return errors.New(C.GoString(why))
	}
	h.native = !nativeops.Off() && nativeops.Register(unsafe.Pointer(api)) == nil // an older plugin works without
	if h.cache == nil && !h.native {
		return nil
	}
	if !active.CompareAndSwap(nil, h) {
		return nil
	}
	if err := gopjrt.RegisterPreloadedPlugin(h.plugin, uintptr(unsafe.Pointer(api))); err != nil {
		active.Store(nil)
		return err
	}
	return nil
}

// ssweCompile stands in for PJRT_Client_Compile.
//
//export ssweCompile
func ssweCompile(args *C.sswe_compile_args) *C.sswe_error {
	h := active.Load()
	if h.native {
		defer putNativeOps(args)()
	}
	if h.cache == nil {
		return C.sswe_compile(args)
	}
	return h.cache.compile(args)
}

// putNativeOps has args compile the program with native operations in it; what it returns puts args back as they were.
func putNativeOps(args *C.sswe_compile_args) func() {
	original := args.program
	if original == nil || string(view(original.format, original.format_size)) != "mlir" {
		return func() {}
	}
	text, n := nativeops.Rewrite(string(view(original.code, original.code_size)))
	if n == 0 {
		return func() {}
	}
	program := (*C.sswe_program)(C.malloc(C.sizeof_sswe_program))
	*program = *original
	program.code, program.code_size = C.CString(text), C.size_t(len(text))
	args.program = program
	return func() {
		args.program = original
		C.free(unsafe.Pointer(program.code))
		C.free(unsafe.Pointer(program))
	}
}

// compile looks args' program up, or has it compiled and keeps it.
func (c *cache) compile(args *C.sswe_compile_args) *C.sswe_error {
	k, known := programKey(c, args)
	if known {
		if stored, found := c.store.get(k); found {
			loaded := C.sswe_load(args.client, (*C.char)(unsafe.Pointer(unsafe.SliceData(stored))), C.size_t(len(stored)))
			if loaded != nil {
				args.loaded = loaded
				c.store.count(hits)
				return nil
			}
		}
	}
	if err := C.sswe_compile(args); err != nil || !known {
		return err
	}
	c.store.count(misses)
	var serialized C.sswe_serialize_args
	if C.sswe_serialize(args.loaded, &serialized) != 0 {
		c.keep(k, view(serialized.bytes, serialized.bytes_size))
		C.sswe_release(&serialized)
	}
	return nil
}

// programKey names the program that args ask to compile; known is false where a caller's structs are older than those here.
func programKey(c *cache, args *C.sswe_compile_args) (k key, known bool) {
	if uintptr(args.struct_size) < unsafe.Offsetof(args.loaded)+unsafe.Sizeof(args.loaded) || args.program == nil {
		return key{}, false
	}
	var version *C.char
	var versionSize, devices C.size_t
	if C.sswe_describe(args.client, &version, &versionSize, &devices) == 0 {
		return key{}, false
	}
	p := args.program
	return c.key(view(p.format, p.format_size), view(p.code, p.code_size), view(args.options, args.options_size),
		view(version, versionSize), []byte(strconv.Itoa(int(devices)))), true
}

// view is C's memory as a slice, valid as long as that memory is.
func view(p *C.char, n C.size_t) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)) }
