package flink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"elastography/beam/loopback"
)

// Inside is the cluster's first process in its own network.
func Inside(ctx context.Context, dir string) error {
	if err := loopback.Up(); err != nil {
		return err
	}
	c, err := Load(dir)
	if err != nil {
		return err
	}
	if err := c.receive(ctx); err != nil {
		return err
	}
	return c.keep(ctx)
}

// keep runs the cluster's processes until ctx ends. One that dies is started
// again, as any resource manager would.
func (c *Cluster) keep(ctx context.Context) error {
	var all sync.WaitGroup
	for name, command := range commands(c.Home, c.Dir, c.Ports, c.TaskManagers) {
		dir := filepath.Join(c.Dir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		log, err := os.Create(logOf(c.Dir, name))
		if err != nil {
			return err
		}
		defer log.Close()
		all.Go(func() {
			for ctx.Err() == nil {
				process := exec.CommandContext(ctx, command[0], command[1:]...)
				process.Dir, process.Stdout, process.Stderr = dir, log, log
				process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its workers end with it
				process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }
				fmt.Fprintf(log, "%s ended: %v\n", name, process.Run())
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	all.Wait()
	return nil
}

func logOf(dir, name string) string { return filepath.Join(dir, name+".log") }

// jobServerUp reads in its log that the job server listens.
func jobServerUp(dir string) bool {
	b, err := os.ReadFile(logOf(dir, "jobserver"))
	return err == nil && bytes.Contains(b, []byte("JobService started"))
}

func containsArg(cmdline []byte, arg string) bool {
	for _, a := range bytes.Split(cmdline, []byte{0}) {
		if string(a) == arg {
			return true
		}
	}
	return false
}

// socket connects the cluster's network with this machine's: a file system
// knows no network namespaces.
func (c *Cluster) socket() string { return filepath.Join(c.Dir, "ports.sock") }

// passOn listens on this machine's loopback interface for the cluster's three
// public ports and hands each connection, with its port, through the socket.
func (c *Cluster) passOn(ctx context.Context) error {
	for _, port := range []int{c.Ports.Job, c.Ports.Artifact, c.Ports.REST} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		serve(ctx, l, func(outside net.Conn) error {
			inside, err := net.Dial("unix", c.socket())
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(inside, "%05d", port); err != nil {
				return errors.Join(err, inside.Close())
			}
			join(outside, inside)
			return nil
		})
	}
	return nil
}

// receive is the other end of passOn.
func (c *Cluster) receive(ctx context.Context) error {
	if err := os.Remove(c.socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", c.socket())
	if err != nil {
		return err
	}
	serve(ctx, l, func(outside net.Conn) error {
		digits := make([]byte, 5)
		if _, err := io.ReadFull(outside, digits); err != nil {
			return err
		}
		port, err := strconv.Atoi(string(digits))
		if err != nil {
			return err
		}
		inside, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		join(outside, inside)
		return nil
	})
	return nil
}

// serve handles connections until ctx ends. A connection that fails is closed:
// whoever made it sees that and tries again.
func serve(ctx context.Context, l net.Listener, handle func(net.Conn) error) {
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if err := handle(conn); err != nil {
					fmt.Fprintln(os.Stderr, "port not passed on:", err)
				}
			}()
		}
	}()
}

// join copies both ways until one side ends.
func join(a, b net.Conn) {
	defer b.Close()
	go func() {
		_, _ = io.Copy(b, a)
		_ = b.Close()
	}()
	_, _ = io.Copy(a, b)
	_ = a.Close()
}
