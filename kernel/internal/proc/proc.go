// Package proc runs child processes so that none outlives its purpose: each child leads a process group of its own, and
// cancelling its context ends the whole group.
package proc

import (
	"context"
	"os/exec"
	"time"
)

// Command is exec.CommandContext whose cancellation ends the child and all of its descendants that stayed in its group.
func Command(ctx context.Context, name string, arg ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, arg...)
	cmd.WaitDelay = 5 * time.Second
	group(cmd)
	return cmd
}
