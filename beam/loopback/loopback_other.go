//go:build !linux

package loopback

import (
	"context"
	"errors"
	"os/exec"
)

var errLinux = errors.New("a network of its own needs Linux; accept ports on every interface with --open")

// Command can't be started here.
func Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Err = errLinux
	return c
}

// Alone is false: no process is ever alone here.
func Alone() bool { return false }

// Up has nothing to start.
func Up() error { return errLinux }

// Refused returns the error of starting a Command, which says it all.
func Refused(err error) error { return err }
