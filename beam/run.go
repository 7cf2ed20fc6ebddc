package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/dustin/go-humanize"

	"elastography/beam/engine"
	"elastography/beam/loopback"
	"elastography/data/archive"
)

// runFlags say who does the rows.
type runFlags struct {
	Runner      string `help:"prism (tests), flink (a Beam job server), or pool (this process, no Beam)." enum:"prism,flink,pool" default:"prism"`
	Endpoint    string `help:"Of the Beam job server." placeholder:"HOST:PORT" default:"127.0.0.1:8099"`
	Shards      int    `help:"Elements of the pipeline; 0: one per 50 rows." default:"0"`
	Workers     int    `help:"Rows in flight in one worker process; 0: one a core." default:"0"`
	Parallelism int    `help:"Elements at once; 0: as the cluster is configured." default:"0"`
	Worker      string `help:"This program's path on the workers; by default a copy beside the records." placeholder:"FILE"`
	Open        bool   `help:"Let Prism listen on every interface where it can't be kept from it."`
}

// run does the rows and prints what they came to.
func (f runFlags) run(ctx context.Context, job engine.Job, rows []archive.Row) error {
	job.Workers = f.Workers
	last := -1
	progress := func(done, of int) {
		if done != last {
			fmt.Fprintf(os.Stderr, "%s: %d of %d shards\n", job.Kind, done, of)
			last = done
		}
	}
	c, peak, err := engine.Run(ctx, job, rows, f.Shards, engine.Runner{Name: f.Runner, Endpoint: f.Endpoint, Worker: f.Worker, Parallelism: f.Parallelism}, progress)
	if err != nil {
		return err
	}
	fmt.Printf("rows %d, computed %d, done before %d, refused %d; a worker's memory at most %s\n", c.Rows, c.Computed, c.Skipped, c.Refused, humanize.IBytes(uint64(peak)))
	return nil
}

// alone says whether the command goes on in this process: Prism's ports would
// be open to everybody, so its process gets a network of its own and this one
// waits for it.
func (f runFlags) alone(ctx context.Context) (here bool, err error) {
	if f.Runner != "prism" || f.Open {
		return true, nil
	}
	if loopback.Alone() {
		return true, loopback.Up()
	}
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	c := loopback.Command(ctx, self, os.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		return false, fmt.Errorf("prism: %w", loopback.Refused(err))
	}
	err = c.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode()) // it has said why
	}
	return false, err
}
