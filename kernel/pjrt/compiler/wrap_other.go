//go:build !linux || !cgo

package compiler

import "errors"

func wrap(*hook) error {
	return errors.New("native operations and the cache are made for Linux, built with cgo")
}
