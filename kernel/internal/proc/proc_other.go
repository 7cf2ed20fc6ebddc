//go:build !unix

package proc

import (
	"os/exec"
	"time"
)

func group(*exec.Cmd) {}

// Graceful has no gentler way than the default here: the child is ended.
func Graceful(cmd *exec.Cmd, grace time.Duration) { cmd.WaitDelay = grace }

// Reap has no group to end here.
func Reap(*exec.Cmd) {}
