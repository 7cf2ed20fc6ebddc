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

// Graceful makes cancellation ask first: the leader gets SIGTERM and has the grace period to end its own children before
// the group is killed.
func Graceful(cmd *exec.Cmd, grace time.Duration) {
	cmd.WaitDelay = grace + 5*time.Second
	cmd.Cancel = func() error {
		pid := cmd.Process.Pid
		time.AfterFunc(grace, func() {
			if cmd.ProcessState == nil {
				_ = syscall.Kill(-pid, syscall.SIGKILL)
			}
		})
		return syscall.Kill(pid, syscall.SIGTERM)
	}
}
