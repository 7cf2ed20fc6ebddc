//go:build !linux || !cgo

package compilecache

import "errors"

func wrap(*cache) error { return errors.New("the cache is made for Linux, built with cgo") }
