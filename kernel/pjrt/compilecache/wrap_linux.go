//go:build cgo

package compilecache

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
)

// active is the cache that compiling goes through. It is the process's, like the wrapped plugin: C calls back without saying
// for whom.
var active atomic.Pointer[cache]

// wrap registers the plugin with go-xla under its own path, so that GOMLX_BACKEND selects it as before, with compiling
// replaced.
func wrap(c *cache) error {
	if !active.CompareAndSwap(nil, c) {
		if old := active.Load(); old.plugin != c.plugin {
			return fmt.Errorf("the cache serves one plugin a process, here %s", old.plugin)
		}
		return nil
	}
	path := C.CString(c.plugin)
	defer C.free(unsafe.Pointer(path))
	var why *C.char
	api := C.sswe_wrap(path, &why)
	if api == nil {
		active.Store(nil)
		return errors.New(C.GoString(why))
	}
	if err := gopjrt.RegisterPreloadedPlugin(c.plugin, uintptr(unsafe.Pointer(api))); err != nil {
		active.Store(nil)
		return err
	}
	return nil
}

// ssweCompile stands in for PJRT_Client_Compile.
//
//export ssweCompile
func ssweCompile(args *C.sswe_compile_args) *C.sswe_error {
	c := active.Load()
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
