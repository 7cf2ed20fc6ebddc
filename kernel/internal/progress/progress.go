// Package progress shows how far a long step is: a bar that redraws itself on a terminal, and now and then a line elsewhere,
// so that logs and notebooks stay readable.
package progress

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// lineEvery is the time between two lines where there is no terminal.
const lineEvery = 5 * time.Second

// Bytes reports a transfer of total bytes, polling done until stop is called.
func Bytes(w io.Writer, what string, total int64, done func() int64) (stop func()) {
	quit, finished := make(chan struct{}), make(chan struct{})
	draw, period := byteLines(w, what, total), lineEvery
	if IsTerminal(w) {
		draw, period = byteBar(w, what, total), 100*time.Millisecond
	}
	go func() {
		defer close(finished)
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				if IsTerminal(w) {
					fmt.Fprintln(w)
				}
				return
			case <-tick.C:
				draw(min(done(), total))
			}
		}
	}()
	return func() { close(quit); <-finished }
}

func byteBar(w io.Writer, what string, total int64) func(int64) {
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth())
	return func(n int64) { _ = bar.Set64(n) }
}

func byteLines(w io.Writer, what string, total int64) func(int64) {
	start := time.Now()
	return func(n int64) {
		left := ""
		if n > 0 {
			rest := time.Duration(float64(time.Since(start)) * float64(total-n) / float64(n))
			left = fmt.Sprintf(", about %s left", rest.Round(time.Second))
		}
		fmt.Fprintf(w, "%s: %s of %s%s\n", what, humanize.Bytes(uint64(n)), humanize.Bytes(uint64(total)), left)
	}
}

// Step runs a step of unknown progress and says when it begins, every now and then that it goes on, and how long it took.
// usual is what it takes on a quiet machine with two cores.
func Step(w io.Writer, what string, usual time.Duration, do func() error) error {
	const every = 15 * time.Second
	start := time.Now()
	fmt.Fprintf(w, "%s (usually %s) …\n", what, usual)
	quit, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				fmt.Fprintf(w, "%s: %s so far, usually %s\n", what, time.Since(start).Round(time.Second), usual)
			}
		}
	}()
	err := do()
	close(quit)
	<-finished
	if err == nil {
		fmt.Fprintf(w, "%s: done in %s\n", what, time.Since(start).Round(100*time.Millisecond))
	}
	return err
}

// IsTerminal reports whether w is a terminal, where a bar can redraw itself.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TreeBytes returns the size of all regular files under dir; what vanishes meanwhile counts nothing.
func TreeBytes(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
