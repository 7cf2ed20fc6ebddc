//go:build unix

package proc

import (
	"os/exec"
	"syscall"
	"time"
)

func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// Graceful makes cancellation ask first: the leader gets SIGTERM, and only after the grace period it is killed. Call [Reap]
// after Wait.
func Graceful(cmd *exec.Cmd, grace time.Duration) {
	cmd.WaitDelay = grace
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
}

// Reap kills what the ended leader left of its group.
func Reap(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
