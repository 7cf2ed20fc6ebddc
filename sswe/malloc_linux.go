//go:build cgo

package sswe

import "C" // builds malloc_linux.c
