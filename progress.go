package main

import (
	"bytes"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// newBar shows a long step's progress with the time left: redrawn in place on a terminal, a line now and then in a log.
func newBar(total int, what string) *progressbar.ProgressBar {
	out, throttle := io.Writer(os.Stderr), 100*time.Millisecond
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		out, throttle = logWriter{os.Stderr}, 10*time.Second
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true),
		progressbar.OptionThrottle(throttle), progressbar.OptionSetWidth(20),
		progressbar.OptionOnCompletion(func() { _, _ = os.Stderr.WriteString("\n") }))
}

// logWriter turns a bar's redraws into lines of a log.
type logWriter struct{ w io.Writer }

func (l logWriter) Write(p []byte) (int, error) {
	if text := bytes.TrimSpace(p); len(text) > 0 {
		if _, err := l.w.Write(append(text, '\n')); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
