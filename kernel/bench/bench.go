// Package bench runs the network in other frameworks, one worker process each, so that speeds are compared in one run: same
// weights, same images, same number of threads, turn by turn. It owns the Python script and the pinned packages of its
// environment. It knows the worker's protocol, never the network.
package bench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

//go:embed peers.py
var script []byte

// Frameworks lists the workers: PyTorch in both memory formats, JAX, and ONNX Runtime, which only infers.
func Frameworks() []string { return []string{"torch", "torch-channels-last", "jax", "onnxruntime"} }

// Peer is a running worker. Close ends it.
type Peer struct {
	Name, Version string
	Output        []float64 // its prediction of the batch, before any training step

	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// Start starts a framework's worker on a folder that holds weights.npz and batch.npz. python needs the packages of
// kernel/bench/requirements.txt.
func Start(ctx context.Context, python, framework, folder string, threads int) (*Peer, error) {
	path, err := write(folder)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", framework, err)
	}
	p := &Peer{Name: framework, command: exec.CommandContext(ctx, python, path, framework, folder, strconv.Itoa(threads))}
	p.command.Stderr = os.Stderr
	out, err := p.command.StdoutPipe()
	if err == nil {
		p.in, err = p.command.StdinPipe()
	}
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", framework, err)
	}
	p.out = bufio.NewReader(out)
	var hello struct {
		Version string    `json:"version"`
		Output  []float64 `json:"output"`
	}
	if err := p.read(&hello); err != nil {
		return nil, errors.Join(fmt.Errorf("%w; install kernel/bench/requirements.txt for %s", err, python), p.Close())
	}
	p.Version, p.Output = hello.Version, hello.Output
	return p, nil
}

func write(folder string) (path string, err error) {
	path = filepath.Join(folder, "peers.py")
	return path, os.WriteFile(path, script, 0o600)
}

// FirstStep returns the seconds from the start of a framework's process to the end of its first training step. What JAX
// compiles it keeps in the folder, for the next call.
func FirstStep(ctx context.Context, python, framework, folder string) (seconds float64, err error) {
	path, err := write(folder)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", framework, err)
	}
	command := exec.CommandContext(ctx, python, path, framework, folder, strconv.Itoa(runtime.NumCPU()), "first-step")
	command.Env = append(os.Environ(), "JAX_COMPILATION_CACHE_DIR="+filepath.Join(folder, "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0")
	start := time.Now()
	if out, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("first step of %s: %w: %s", framework, err, out)
	}
	return time.Since(start).Seconds(), nil
}

// Trains tells whether the framework trains.
func (p *Peer) Trains() bool { return p.Name != "onnxruntime" }

// Train takes n steps: the seconds and the loss of each.
func (p *Peer) Train(n int) (seconds, losses []float64, err error) { return p.ask("train %d\n", n) }

// Infer predicts the batch's first images n times: the seconds of each.
func (p *Peer) Infer(images, n int) ([]float64, error) {
	seconds, _, err := p.ask("infer %d %d\n", images, n)
	return seconds, err
}

func (p *Peer) ask(format string, args ...any) (seconds, losses []float64, err error) {
	if _, err := fmt.Fprintf(p.in, format, args...); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	var reply struct{ Seconds, Losses []float64 }
	err = p.read(&reply)
	return reply.Seconds, reply.Losses, err
}

func (p *Peer) read(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
}

// Close ends the worker.
func (p *Peer) Close() error {
	p.in.Close() // at the end of its input the worker ends
	return p.command.Wait()
}
